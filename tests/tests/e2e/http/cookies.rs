//! Tests that the server sends tokens to browsers as cookies, and accepts tokens from these cookies.

use e2e::{App, Engine, Request, Response, on_both_engines};
use serde_json::{Value, json};

use crate::auth::change_password::passwords_body;
use crate::auth::login::{LOGIN, credentials};
use crate::sessions::fixtures::{
    ACCOUNT, CHANGE_PASSWORD, Device, LOGOUT, REFRESH, SERVER_ORIGIN, SESSION, counter,
    encode_refresh_token, login, user_with_device,
};

on_both_engines! {
    every_new_pair_of_tokens_sets_both_cookies_for_the_lifetime_of_the_session,
    under_https_the_cookies_are_secure_and_have_prefixed_names,
    under_http_a_cookie_with_a_prefixed_name_is_ignored,
    a_request_with_cookies_gets_its_tokens_only_as_cookies,
    a_browser_refreshes_with_cookies_alone,
    the_authorization_header_takes_precedence_over_the_cookie,
    an_invalid_authorization_header_is_not_replaced_by_a_valid_cookie,
    a_cookie_sent_twice_is_rejected,
    cookies_of_other_applications_are_ignored,
    a_cookie_without_a_valid_token_is_rejected,
    an_error_sets_no_cookie,
}

pub(crate) fn with_cookie(request: Request, cookie: &str) -> Request {
    request.header("cookie", cookie)
}

/// Returns the `Cookie` header with all cookies that this response sets.
pub(crate) fn cookies_after(response: &Response) -> String {
    let pair_of = |cookie: &str| cookie.split(';').next().unwrap().to_owned();
    let set_cookies = response.header_values("set-cookie").into_iter();
    set_cookies.map(pair_of).collect::<Vec<_>>().join("; ")
}

async fn every_new_pair_of_tokens_sets_both_cookies_for_the_lifetime_of_the_session(
    engine: Engine,
) {
    let app = App::on(engine).set("session-ttl", "30d").start();
    let caller = app.anonymous();
    let ada_credentials = credentials("ada@example.com", "correct horse");
    let eve_credentials = credentials("eve@example.com", "correct horse");
    let registration = caller.post("/api/auth/register", ada_credentials.clone());
    let register_response = registration.await;
    let signup_response = caller.post("/api/auth/signup", eve_credentials).await;
    let login_response = caller.post(LOGIN, ada_credentials).await;
    let refresh_token = login_response.clone().ok()["refresh_token"].clone();
    let body = json!({ "refresh_token": refresh_token });
    let refresh_response = caller.post(REFRESH, body).await;
    let refreshed_device = Device::from_response(&refresh_response.clone().ok());
    let bearer_caller = app.bearer(refreshed_device.access);
    let body = passwords_body("correct horse", "another good password");
    let change_response = bearer_caller.post(CHANGE_PASSWORD, body).await;
    for token_response in [
        register_response,
        signup_response,
        login_response,
        refresh_response,
        change_response,
    ] {
        let cookies = token_response.header_values("set-cookie").join("\n");
        let body: Value = serde_json::from_str(&token_response.text()).unwrap();
        let device = Device::from_response(&body);
        let attributes = "Max-Age=2592000; HttpOnly; SameSite=Lax";
        let expected = format!(
            "access_token={}; Path=/; {attributes}\nrefresh_token={}; Path=/api/auth; {attributes}",
            device.access, device.refresh
        );
        assert_eq!(cookies, expected);
    }
}

async fn under_https_the_cookies_are_secure_and_have_prefixed_names(engine: Engine) {
    let public_url = "https://api.example";
    let app = App::on(engine).set("public-url", public_url).start();
    let ada = app.user("ada").await;
    let body = credentials(ada.email(), ada.password());
    let response = app.anonymous().post(LOGIN, body).await;
    let cookie_header = cookies_after(&response);
    let attributes = "Max-Age=604800; HttpOnly; SameSite=Lax; Secure";
    let cookies = response.header_values("set-cookie").join("\n");
    let device = Device::from_response(&response.ok());
    let expected = format!(
        "__Host-access_token={}; Path=/; {attributes}\n\
         __Host-refresh_token={}; Path=/; {attributes}",
        device.access, device.refresh
    );
    assert_eq!(cookies, expected);

    let session_request = app.anonymous().get(SESSION);
    with_cookie(session_request.clone(), &cookie_header)
        .await
        .ok();
    // Another host, or a page over HTTP, could have set a cookie without the prefix, so the server ignores the cookie.
    let rejection = with_cookie(session_request, &device.cookies()).await;
    rejection.problem(401, "UNAUTHORIZED");
    let refresh_request = app.anonymous().request("POST", REFRESH);
    let refresh_request = refresh_request.header("origin", public_url);
    let rejection = with_cookie(refresh_request.clone(), &device.cookies()).await;
    rejection.problem(401, "UNAUTHORIZED");
    // Another host of the same domain can set a cookie with the former name of the refresh cookie, so it is ignored.
    let former_cookie = format!("__Secure-refresh_token={}", device.refresh);
    let rejection = with_cookie(refresh_request.clone(), &former_cookie).await;
    rejection.problem(401, "UNAUTHORIZED");
    let cookies_with_former = format!("{cookie_header}; __Secure-refresh_token=planted");
    with_cookie(refresh_request, &cookies_with_former)
        .await
        .ok();

    let logout_request = app.anonymous().request("POST", LOGOUT);
    let logout_request = logout_request.header("origin", public_url);
    let logout_response = with_cookie(logout_request, &cookie_header).await;
    let cleared_attributes = "Max-Age=0; HttpOnly; SameSite=Lax; Secure";
    let expected_cookies = [
        format!("__Host-access_token=; Path=/; {cleared_attributes}"),
        format!("__Host-refresh_token=; Path=/; {cleared_attributes}"),
        format!("__Secure-refresh_token=; Path=/api/auth; {cleared_attributes}"),
    ];
    assert_eq!(
        logout_response.header_values("set-cookie"),
        expected_cookies
    );
    assert_eq!(logout_response.ok()["revoked"], 1);
}

async fn under_http_a_cookie_with_a_prefixed_name_is_ignored(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for cookie_name in [
        "__Host-access_token",
        "__Secure-access_token",
        "Access_Token",
        "access_token ",
        "xaccess_token",
    ] {
        let cookie = format!("{cookie_name}={}", device.access);
        let response = with_cookie(app.anonymous().get(SESSION), &cookie).await;
        response.problem(401, "UNAUTHORIZED");
    }
}

async fn a_request_with_cookies_gets_its_tokens_only_as_cookies(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let add_cookies_and_origin = |request: Request| {
        let request = request.header("sec-fetch-site", "same-origin");
        with_cookie(request, &device.cookies())
    };
    let body = passwords_body(ada.password(), "another good password");
    for (request, expected_counter) in [
        (app.anonymous().request("POST", REFRESH), 1),
        (app.anonymous().post(REFRESH, json!({})), 1),
        // This request must be the last, because a change of password revokes the session of the device.
        (app.anonymous().post(CHANGE_PASSWORD, body), 0),
    ] {
        let response = add_cookies_and_origin(request).await;
        let cookie_header = cookies_after(&response);
        let token_response = response.ok();
        let session_id = token_response["session_id"].as_str().unwrap();
        assert_eq!(session_id == device.session, expected_counter == 1);
        let account = with_cookie(app.anonymous().get(ACCOUNT), &cookie_header)
            .await
            .ok();
        let expected = json!({
            "user": account,
            "token_type": "Bearer",
            "expires_in": 900,
            "session_id": session_id,
        });
        assert_eq!(token_response, expected);
        let refresh_token = encode_refresh_token(app.secret(), session_id, expected_counter);
        assert!(
            cookie_header.ends_with(&format!("; refresh_token={refresh_token}")),
            "{cookie_header}"
        );
        let session_response = with_cookie(app.anonymous().get(SESSION), &cookie_header)
            .await
            .ok();
        assert_eq!(session_response["session"]["id"], session_id);
    }
}

async fn a_browser_refreshes_with_cookies_alone(app: App) {
    let ada = app.user("ada").await;
    let body = credentials(ada.email(), ada.password());
    let mut cookie_header = cookies_after(&app.anonymous().post(LOGIN, body).await);
    for _ in 0..3 {
        app.clock.advance(std::time::Duration::from_secs(3600));
        let rejection = with_cookie(app.anonymous().get(SESSION), &cookie_header).await;
        rejection.problem(401, "TOKEN_EXPIRED");
        let refresh_request = app.anonymous().request("POST", REFRESH);
        let response = with_cookie(
            refresh_request.header("origin", SERVER_ORIGIN),
            &cookie_header,
        )
        .await;
        cookie_header = cookies_after(&response);
        response.ok();
        let task_request = app.anonymous().post("/api/tasks", json!({ "title": "t" }));
        let task_request =
            with_cookie(task_request.header("origin", SERVER_ORIGIN), &cookie_header);
        assert_eq!(task_request.await.created()["user_id"], ada.id());
    }
}

async fn the_authorization_header_takes_precedence_over_the_cookie(app: App) {
    let (ada, ada_device) = user_with_device(&app, "ada").await;
    let (_, eve_device) = user_with_device(&app, "eve").await;
    let request = app.bearer(ada_device.access.as_str()).get(SESSION);
    let session_response = with_cookie(request, &eve_device.cookies()).await.ok();
    assert_eq!(session_response["user"]["id"], ada.id());
    // A request with an `Authorization` header needs no origin, and the response has the tokens in the body.
    let body = passwords_body(ada.password(), "another good password");
    let request = app
        .bearer(ada_device.access.as_str())
        .post(CHANGE_PASSWORD, body);
    let token_response = with_cookie(request, &eve_device.cookies()).await.ok();
    assert_eq!(token_response["user"]["id"], ada.id());
    assert!(token_response["access_token"].is_string());
    // A refresh token in the body is used instead of the cookie.
    let body = json!({ "refresh_token": token_response["refresh_token"] });
    let request = app.anonymous().post(REFRESH, body);
    let refresh_response = with_cookie(request, &eve_device.cookies()).await.ok();
    assert_eq!(refresh_response["session_id"], token_response["session_id"]);
    assert!(refresh_response["refresh_token"].is_string());
    assert_eq!(counter(&app, &eve_device.session), 0);
}

async fn an_invalid_authorization_header_is_not_replaced_by_a_valid_cookie(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    for authorization in ["", "junk", "Bearer junk", "Basic YTpi", "Bearer"] {
        let request = app.anonymous().get(SESSION);
        let request = request.header("authorization", authorization);
        let rejection = with_cookie(request, &device.cookies()).await;
        rejection.problem(401, "INVALID_TOKEN");
    }
    let body = json!({ "refresh_token": "junk" });
    let request = app.anonymous().post(REFRESH, body);
    let request = request.header("origin", SERVER_ORIGIN);
    let rejection = with_cookie(request, &device.cookies()).await;
    rejection.problem(401, "INVALID_TOKEN");
    assert_eq!(counter(&app, &device.session), 0);
}

async fn a_cookie_sent_twice_is_rejected(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let new_device = login(&app, &ada).await;
    for (first_device, second_device) in [(&device, &device), (&device, &new_device)] {
        let (first_cookies, second_cookies) = (first_device.cookies(), second_device.cookies());
        let session_request = app.anonymous().get(SESSION);
        let refresh_request = app.anonymous().request("POST", REFRESH);
        for request in [
            session_request,
            refresh_request.header("origin", SERVER_ORIGIN),
        ] {
            let doubled_cookies = format!("{first_cookies}; {second_cookies}");
            let rejection = with_cookie(request.clone(), &doubled_cookies).await;
            let problem = rejection.problem(401, "INVALID_TOKEN");
            let detail = problem["detail"].as_str().unwrap();
            assert!(detail.ends_with("cookie was sent twice"), "{detail}");
            let request_with_two_headers =
                with_cookie(with_cookie(request, &first_cookies), &second_cookies);
            request_with_two_headers.await.problem(401, "INVALID_TOKEN");
        }
    }
    assert_eq!(counter(&app, &device.session), 0);
}

/// Sends a request whose `Cookie` header may be any bytes.
async fn send_raw_cookie(app: &App, method: &str, path: &str, cookie: &[u8]) -> Response {
    let head = format!(
        "{method} {path} HTTP/1.1\r\nhost: e2e\r\ncontent-length: 0\r\n\
         sec-fetch-site: same-origin\r\ncookie: "
    );
    let mut connection = app.connect().await;
    let request = [head.as_bytes(), cookie, b"\r\n\r\n"].concat();
    connection.send(&request).await;
    connection.response().await.unwrap()
}

async fn cookies_of_other_applications_are_ignored(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let cookies = device.cookies();
    for (bytes_before, bytes_after) in [
        (&b"a=b; "[..], &b"; c=d"[..]),
        (b"a; =; ;", b";;"),
        (b"  ", b"  ;  "),
        ("name=Zoë; ".as_bytes(), "; café=ü".as_bytes()),
        (b"a=\xff\xfe; ", b"; \xc3=\x80"),
        (
            b"a=\"access_token=x\"; ",
            b"; x_access_token=x; access_tokens=y",
        ),
    ] {
        let header = [bytes_before, cookies.as_bytes(), bytes_after].concat();
        let session_response = send_raw_cookie(&app, "GET", SESSION, &header).await.ok();
        assert_eq!(session_response["session"]["id"], device.session);
        send_raw_cookie(&app, "POST", REFRESH, &header).await.ok();
    }
}

async fn a_cookie_without_a_valid_token_is_rejected(app: App) {
    let (_, device) = user_with_device(&app, "ada").await;
    let quote = |token: &str| format!("\"{token}\"").into_bytes();
    let escape = |token: &str| {
        token
            .replacen('_', "%5F", 1)
            .replace('.', "%2E")
            .into_bytes()
    };
    for (method, path, cookie_prefix, token) in [
        ("GET", SESSION, "access_token=", &device.access),
        ("POST", REFRESH, "refresh_token=", &device.refresh),
    ] {
        for cookie_value in [
            b"".to_vec(),
            b"junk".to_vec(),
            b"\xff\xfe".to_vec(),
            [token.as_bytes(), b"\xff"].concat(),
            "é".into(),
            quote(token),
            escape(token),
            [token.as_bytes(), b" x"].concat(),
            [b"=", token.as_bytes()].concat(),
            b"a".repeat(9000),
        ] {
            let cookie = [cookie_prefix.as_bytes(), &cookie_value].concat();
            let rejection = send_raw_cookie(&app, method, path, &cookie).await;
            rejection.problem(401, "INVALID_TOKEN");
        }
    }
    assert_eq!(counter(&app, &device.session), 0);
}

async fn an_error_sets_no_cookie(app: App) {
    let (ada, device) = user_with_device(&app, "ada").await;
    let (wrong_credentials, caller) = (credentials(ada.email(), "wrong"), app.anonymous());
    for request in [
        caller.post(LOGIN, wrong_credentials),
        caller.post("/api/auth/register", json!({})),
        caller.post(REFRESH, json!({ "refresh_token": "junk" })),
        with_cookie(caller.request("POST", REFRESH), "refresh_token=junk"),
        with_cookie(caller.request("POST", REFRESH), &device.cookies()),
    ] {
        let rejection = request.await;
        assert!((400..500).contains(&rejection.status()));
        assert!(rejection.header_values("set-cookie").is_empty());
    }
}

// @generated automatically by Diesel CLI.

diesel::table! {
    email_undos (key) {
        key -> Text,
        user_id -> Text,
        old_email -> Text,
        created_at -> Timestamp,
        expires_at -> Timestamp,
    }
}

diesel::table! {
    imported_tasks (user_id, source, source_id) {
        user_id -> Text,
        source -> Text,
        source_id -> Text,
    }
}

diesel::table! {
    imported_users (id) {
        id -> Text,
    }
}

diesel::table! {
    outbox (id) {
        id -> Text,
        kind -> Text,
        recipient -> Text,
        user_id -> Nullable<Text>,
        language -> Nullable<Text>,
        new_email -> Nullable<Text>,
        network -> Nullable<Text>,
        created_at -> Timestamp,
        expires_at -> Timestamp,
        next_attempt_at -> Nullable<Timestamp>,
        attempts -> Integer,
        leased_until -> Nullable<Timestamp>,
        wrong_codes -> Integer,
        callback_url -> Nullable<Text>,
    }
}

diesel::table! {
    revocation_sequence (id) {
        id -> BigInt,
        last -> BigInt,
        generation -> BigInt,
        issued_before -> Nullable<Timestamp>,
    }
}

diesel::table! {
    revocations (sequence) {
        sequence -> BigInt,
        session_id -> Text,
        forget_after -> Timestamp,
        user_id -> Nullable<Text>,
        claims_version -> Nullable<BigInt>,
    }
}

diesel::table! {
    sessions (id) {
        id -> Text,
        user_id -> Text,
        counter -> BigInt,
        rotated_at -> Nullable<Timestamp>,
        late_recoveries -> Integer,
        late_recovery_counter -> Nullable<BigInt>,
        created_at -> Timestamp,
        last_used_at -> Timestamp,
        expires_at -> Timestamp,
        revoked_at -> Nullable<Timestamp>,
        ip_address -> Nullable<Text>,
        user_agent -> Nullable<Text>,
    }
}

diesel::table! {
    tasks (id) {
        id -> BigInt,
        user_id -> Text,
        title -> Text,
        description -> Nullable<Text>,
        completed -> Bool,
        created_at -> Timestamp,
        updated_at -> Timestamp,
    }
}

diesel::table! {
    users (id) {
        id -> Text,
        email -> Text,
        name -> Nullable<Text>,
        image -> Nullable<Text>,
        email_verified -> Bool,
        password_hash -> Nullable<Text>,
        created_at -> Timestamp,
        updated_at -> Timestamp,
        mail_key -> Nullable<Text>,
        language -> Nullable<Text>,
        roles -> Nullable<Text>,
        custom_claims -> Nullable<Text>,
        claims_version -> BigInt,
    }
}

diesel::joinable!(email_undos -> users (user_id));
diesel::joinable!(imported_tasks -> users (user_id));
diesel::joinable!(outbox -> users (user_id));
diesel::joinable!(sessions -> users (user_id));
diesel::joinable!(tasks -> users (user_id));

diesel::allow_tables_to_appear_in_same_query!(
    email_undos,
    imported_tasks,
    imported_users,
    outbox,
    revocation_sequence,
    revocations,
    sessions,
    tasks,
    users,
);

-- Every session follows its own refresh token from answer to answer: a request takes the session that has waited
-- longest, its answer puts it back with the next token. There are more sessions than connections, and one thread.
dofile(os.getenv("LOAD_SCRIPTS") .. "/request.lua")
wrk.headers["Content-Type"] = "application/json"

local waiting, first, last = {}, 1, 0

local function put(token)
    last = last + 1
    waiting[last] = token
end

function init()
    for token in io.lines(os.getenv("LOAD_REFRESH_TOKENS")) do put(token) end
end

-- wrk makes one request to look at before it starts, so one session stays behind.
function request()
    local token = waiting[first]
    waiting[first] = nil
    first = first + 1
    return wrk.format(nil, nil, nil, '{"refresh_token":"' .. token .. '"}')
end

function response(status, _, body)
    if status == 200 then put(body:match('"refresh_token":"([^"]+)"')) end
end

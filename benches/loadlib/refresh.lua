-- Refreshes many sessions, each with its own latest token: a request uses the session that has waited longest, and its
-- response puts the session back with the next token. Needs more sessions than connections, and a single thread.
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

-- wrk calls this once before it starts, so one session is never used.
function request()
    local token = waiting[first]
    waiting[first] = nil
    first = first + 1
    return wrk.format(nil, nil, nil, '{"refresh_token":"' .. token .. '"}')
end

function response(status, _, body)
    if status == 200 then put(body:match('"refresh_token":"([^"]+)"')) end
end

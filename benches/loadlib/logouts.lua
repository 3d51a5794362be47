-- Ends many sessions, each with its own access token, once. Needs more tokens than requests, and a single thread.
dofile(os.getenv("LOAD_SCRIPTS") .. "/request.lua")

local next_token = nil

function init()
    next_token = io.lines(os.getenv("LOAD_ACCESS_TOKENS"))
end

function request()
    local token = assert(next_token(), "more requests than tokens")
    return wrk.format(nil, nil, { Authorization = "Bearer " .. token }, nil)
end

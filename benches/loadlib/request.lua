-- Reads the request from the environment, and prints the measurements as one line of JSON.
wrk.method = os.getenv("LOAD_METHOD")
wrk.body = os.getenv("LOAD_BODY")
if wrk.body then wrk.headers["Content-Type"] = "application/json" end

local token = os.getenv("LOAD_TOKEN")
if token then wrk.headers["Authorization"] = "Bearer " .. token end

function done(summary, latency)
    local errors = summary.errors
    -- wrk measures in microseconds, and counts every status above 399 as an error.
    io.write(string.format(
        '{"requests":%d,"seconds":%f,"p50":%f,"p99":%f,"rejected":%d,"broken":%d}\n',
        summary.requests, summary.duration / 1e6,
        latency:percentile(50) / 1e3, latency:percentile(99) / 1e3,
        errors.status, errors.connect + errors.read + errors.write + errors.timeout
    ))
end

-- wrk script: POSTs hearts of evenly chosen users to targets of a Zipf-like skew (the logarithm of the rank is uniform).
-- wrk -s give-hearts.lua URL -- [targets] [users]
local seed = os.time()

function setup(thread)
  seed = seed + 1
  thread:set("seed", seed)
end

function init(args)
  targets = tonumber(args[1]) or 10000
  users = tonumber(args[2]) or 5000000
  math.randomseed(seed)
  wrk.method = "POST"
  wrk.headers["Content-Type"] = "application/json"
end

function request()
  local target = math.floor(targets ^ math.random())
  local user = math.random(users)
  return wrk.format(nil, "/api/v1/hearts", nil, '{"target_id":"post_' .. target .. '","user_id":"u' .. user .. '"}')
end

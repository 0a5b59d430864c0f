-- Loaded once a worker; give_heart answers one request.
local json = require "cjson"
local redis = require "nginx.redis"

-- KEYS: the target's set, the user's bucket. ARGV: the user. Returns the count, or -1 when the bucket is empty.
local script = [[
redis.call('SADD', KEYS[1], ARGV[1])
local clock = redis.call('TIME')
local seconds = clock[1] + clock[2] / 1000000
local bucket = redis.call('HMGET', KEYS[2], 'tokens', 'filled')
local tokens = tonumber(bucket[1]) or 100
local filled = tonumber(bucket[2]) or seconds
tokens = math.min(100, tokens + 10 * (seconds - filled))
if tokens < 1 then
  return -1
end
redis.call('HSET', KEYS[2], 'tokens', tokens - 1, 'filled', seconds)
redis.call('EXPIRE', KEYS[2], 20)
return redis.call('SCARD', KEYS[1])
]]

function give_heart(redis_port)
  ngx.req.read_body()
  local heart = json.decode(ngx.req.get_body_data())
  local store = redis:new()
  store:connect("127.0.0.1", redis_port)
  local count, problem = store:eval(script, 2, "hearts:" .. heart.target_id, "quota:" .. heart.user_id, heart.user_id)
  store:set_keepalive(10000, 200)

  if not count then
    ngx.status = 503
    ngx.say(problem)
  elseif count < 0 then
    ngx.status = 429
  else
    ngx.header.content_type = "application/json"
    ngx.say(json.encode {
      id = heart.target_id .. ":" .. heart.user_id,
      target_id = heart.target_id,
      user_id = heart.user_id,
      count = count,
      timestamp = ngx.utctime(),
    })
  end
end

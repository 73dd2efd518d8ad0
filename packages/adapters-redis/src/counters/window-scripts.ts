import { Script } from "../connection/script.js";

/**
 * A window is a hash: `n` what it counts, buckets `h` to `e`, `w` its length, and each bucket by its number as "first last cost"; instants and lengths are microseconds of the server's clock.
 * Spends closer together than a 256th of the window share a bucket, which counts until a window after its last: docs/decisions/0016-windows-roll.md.
 * A clock that was set back stands still for a window; one set back by more than that forgets it. What is no window is thrown away.
 */
const common = `
local function text(x) return string.format('%.17g', x) end
local function bucket(key, i)
  local kept = redis.call('HGET', key, text(i))
  if not kept then return nil end
  local f, l, c = string.match(kept, '^(%S+) (%S+) (%S+)$')
  f, l, c = tonumber(f), tonumber(l), tonumber(c)
  if not (f and l and c) then return nil end
  return f, l, c
end
local function fresh(key, now, w, isKept)
  if isKept then redis.call('DEL', key) end
  return { n = 0, h = 1, e = 0, w = w, t = now }
end
local function rolled(key, now, w)
  local kept = redis.pcall('HMGET', key, 'n', 'h', 'e', 'w')
  if kept.err then return fresh(key, now, w, true) end
  if not kept[1] then return fresh(key, now, w, kept[2]) end
  local n, h, e, t = tonumber(kept[1]), tonumber(kept[2]), tonumber(kept[3]), now
  w = w or tonumber(kept[4])
  if not (n and h and e and w) then return fresh(key, now, w, true) end
  local f, l, c = bucket(key, e)
  if not f or l - now > w then return fresh(key, now, w, true) end
  if l > now then t = l end
  local win = { w = w, t = t, e = e, f = f, l = l, c = c }
  local from = h
  while h <= e do
    local _, last, cost
    if h == e then last, cost = l, c else _, last, cost = bucket(key, h) end
    if not last then return fresh(key, now, w, true) end
    win.oldest = last
    if last + w > t then break end
    n = n - cost
    redis.call('HDEL', key, text(h))
    h = h + 1
  end
  if h > e then return fresh(key, now, w, true) end
  if h > from then redis.call('HSET', key, 'n', text(n), 'h', text(h)) end
  win.n, win.h = n, h
  return win
end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
`;

/**
 * KEYS: one a demand. ARGV: the instant to count at (0: the server's own), then cost, limit and length of each demand.
 * Answers: the number of the demand that was refused or 0, the instant, when that demand would fit or "", then of each demand what is left and when the oldest leaves ("": it counts nothing).
 */
export const spendScript = new Script(`${common}
local at = tonumber(ARGV[1])
if at > 0 and math.abs(at - now) < 5000000 then now = at end
local windows, pending, refused = {}, {}, 0
for i, key in ipairs(KEYS) do
  local cost, limit, w = tonumber(ARGV[3 * i - 1]), tonumber(ARGV[3 * i]), tonumber(ARGV[3 * i + 1])
  if not windows[key] then windows[key], pending[key] = rolled(key, now, w), 0 end
  if refused == 0 then
    if windows[key].n + pending[key] + cost > limit then refused = i else pending[key] = pending[key] + cost end
  end
end
local retry = ''
if refused > 0 then
  local win, most = windows[KEYS[refused]], tonumber(ARGV[3 * refused]) - tonumber(ARGV[3 * refused - 1])
  local left, i = win.n, win.h
  while most >= 0 and left > most and i <= win.e do
    local _, l, c = bucket(KEYS[refused], i)
    if not l then break end
    left = left - c
    retry = text(l + win.w)
    i = i + 1
  end
else
  for i, key in ipairs(KEYS) do
    local cost, win = tonumber(ARGV[3 * i - 1]), windows[key]
    if cost ~= 0 then
      if win.e >= win.h and win.t - win.f < win.w / 256 then
        win.c = win.c + cost
      else
        win.e, win.f, win.c = win.e + 1, win.t, cost
      end
      win.l, win.n = win.t, win.n + cost
      if win.e == win.h then win.oldest = win.l end
      redis.call('HSET', key, text(win.e), text(win.f) .. ' ' .. text(win.l) .. ' ' .. text(win.c), 'n', text(win.n), 'h', text(win.h), 'e', text(win.e), 'w', text(win.w))
      redis.call('PEXPIRE', key, math.ceil((win.w + win.t - now) / 1000) + 1)
    end
  end
end
local answer = { tostring(refused), text(now), retry }
for i, key in ipairs(KEYS) do
  local win, limit = windows[key], tonumber(ARGV[3 * i])
  answer[#answer + 1] = text(math.max(0, limit - win.n))
  answer[#answer + 1] = win.e >= win.h and text(win.oldest + win.w) or ''
end
return answer`);

/** KEYS: the window. ARGV: the difference, and the instant that it belongs to. The time to live stays what it is. */
export const adjustScript = new Script(`${common}
local delta, at = tonumber(ARGV[1]), tonumber(ARGV[2])
local win = rolled(KEYS[1], now, nil)
local low, high = win.h, win.e
if low > high then return 0 end
while low < high do
  local middle = math.floor((low + high) / 2)
  local _, l = bucket(KEYS[1], middle)
  if not l then return 0 end
  if l >= at then high = middle else low = middle + 1 end
end
local f, l, c = bucket(KEYS[1], low)
if not f or f > at or l < at then return 0 end
local change = math.max(delta, -c)
redis.call('HSET', KEYS[1], text(low), text(f) .. ' ' .. text(l) .. ' ' .. text(c + change), 'n', text(win.n + change))
return 1`);

/** KEYS: the slots. ARGV: the holder, how many may hold, for how many ms. A key with something else in it is thrown away. */
export const holdScript = new Script(`
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local cleared = redis.pcall('ZREMRANGEBYSCORE', KEYS[1], '-inf', string.format('%.0f', now))
if type(cleared) == 'table' and cleared.err then redis.call('DEL', KEYS[1]) end
if not redis.call('ZSCORE', KEYS[1], ARGV[1]) and redis.call('ZCARD', KEYS[1]) >= tonumber(ARGV[2]) then return 0 end
redis.call('ZADD', KEYS[1], string.format('%.0f', now + tonumber(ARGV[3])), ARGV[1])
local latest = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.max(1, tonumber(latest[2]) - now)))
return 1`);

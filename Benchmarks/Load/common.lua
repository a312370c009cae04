-- What every load shares: the plan, the queue, and the report that Load.swift reads.
--
-- wrk hands an answer to a thread, not to a connection: what has to follow it waits in a queue,
-- and the next connection that is free takes it.

local threads = {}

completed, busy, problems, problem = 0, 0, 0, ""

function setup(thread)
  table.insert(threads, thread)
end

local queue, first, last = {}, 1, 0

function push(request)
  last = last + 1
  queue[last] = request
end

function pop()
  if first > last then return nil end
  local request = queue[first]
  queue[first] = nil
  first = first + 1
  return request
end

function any(list) return list[math.random(#list)] end

-- An answer nobody expects: a load of refusals is no figure.
function unexpected(status, body)
  problems = problems + 1
  if problem == "" then problem = status .. " " .. (body or ""):sub(1, 200):gsub("%c", " ") end
end

function post(head, form)
  return head .. "Content-Length: " .. #form .. "\r\n\r\n" .. form
end

function header(headers, name)
  local value = headers[name]
  if value then return value end
  for key, other in pairs(headers) do
    if key:lower() == name then return other end
  end
end

function unescape(text)
  return (text:gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

function escape(text)
  return (text:gsub("[^%w%-._~]", function(c) return string.format("%%%02X", c:byte()) end))
end

function done(summary, latency, requests)
  local completed, busy, problems, problem = 0, 0, 0, ""
  for _, thread in ipairs(threads) do
    completed = completed + thread:get("completed")
    busy = busy + thread:get("busy")
    problems = problems + thread:get("problems")
    if problem == "" then problem = thread:get("problem") end
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"requests":%d,"completed":%d,"busy":%d,"seconds":%.6f,"p50_us":%d,"p99_us":%d,'
      .. '"socket_errors":%d,"status_errors":%d,"problems":%d,"problem":"%s"}\n',
    summary.requests, completed, busy, summary.duration / 1000000, latency:percentile(50),
    latency:percentile(99), errors.connect + errors.read + errors.write + errors.timeout,
    errors.status, problems, problem:gsub('[\\"]', "'")))
end

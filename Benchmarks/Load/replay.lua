-- Finished requests, picked at random: each organization as often as every other.
dofile("Benchmarks/Load/common.lua")

local plan, requests

function init(args)
  plan = dofile(args[1])
  requests = plan.requests
  if plan.pause > 0 then
    local pause = plan.pause
    delay = function() return math.random(0, 2 * pause) end
  end
end

function request()
  return requests[math.random(#requests)]
end

-- Refreshes: every request brings the refresh token of the answer before (RFC 6749 section 6).
dofile("Benchmarks/Load/common.lua")

local heads = {}

-- The first 16 bytes of a refresh token name its family: 21 characters of base64url do not change.
local function family(token) return token:sub(1, 21) end

function init(args)
  for _, grant in ipairs(dofile(args[1]).grants) do
    heads[family(grant.token)] = grant.head
    push(grant.token)
  end
end

function request()
  local token = pop()
  if not token then error("more connections than refresh tokens") end
  return post(heads[family(token)], "grant_type=refresh_token&refresh_token=" .. token)
end

function response(status, headers, body)
  local token = status == 200 and body:match('"refresh_token":"([%w_-]+)"')
  if not token or not heads[family(token)] then return unexpected(status, body) end
  completed = completed + 1
  push(token)
end

-- Whole code flows of a browser that is signed in: authorize, then the code for tokens.
dofile("Benchmarks/Load/common.lua")

local organizations, bySlug = {}, {}

function init(args)
  organizations = dofile(args[1]).organizations
  for _, organization in ipairs(organizations) do bySlug[organization.slug] = organization end
end

function request()
  return pop() or any(any(organizations).authorize)
end

function response(status, headers, body)
  if status == 302 or status == 303 then
    local location = header(headers, "location") or ""
    local code = location:match("[?&]code=([%w_-]+)")
    local slug = unescape(location:match("[?&]iss=([^&]+)") or ""):match("/t/([^/]+)$")
    if not code or not bySlug[slug] then return unexpected(status, location) end
    local organization = bySlug[slug]
    push(post(organization.head, organization.form .. code))
  elseif status == 200 and body:find('"id_token"', 1, true) then
    completed = completed + 1
  else
    unexpected(status, body)
  end
end

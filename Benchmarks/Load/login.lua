-- Whole sign-ins: authorize, the page, the password, authorize again, the code for tokens.
dofile("Benchmarks/Load/common.lua")

local plan, organizations, bySlug = nil, {}, {}
-- How long those will wait who were asked to come back later and have not begun to.
local turnedAway = {}

function init(args)
  plan = dofile(args[1])
  organizations = plan.organizations
  for _, organization in ipairs(organizations) do bySlug[organization.slug] = organization end
end

local function get(path, cookie)
  return "GET " .. path .. " HTTP/1.1\r\nHost: " .. plan.host .. "\r\n"
    .. (cookie and "Cookie: " .. cookie .. "\r\n" or "") .. "\r\n"
end

local function path(location) return location:match("^%w+://[^/]+(/.*)$") or location end

-- Of several cookies wrk shows the last; after a sign-in that is the session's.
local function cookie(headers) return (header(headers, "set-cookie") or ""):match("^[^;]+") end

local function hidden(page, name)
  local value = page:match('name="' .. name .. '" value="([^"]*)"')
  return value and value:gsub("&amp;", "&") or ""
end

function request()
  return pop() or any(any(organizations).authorize)
end

-- People who are turned away wait a moment, in milliseconds, and each their own: a second on average, or as
-- long as they were asked to.
function delay()
  if #turnedAway == 0 then return 0 end
  return table.remove(turnedAway)
end

-- The page: fill it in and send it.
local function signIn(headers, body)
  local slug = body:match('action="/t/([^/]+)/login"')
  local organization = bySlug[slug]
  if not organization then return unexpected(200, body) end
  local person = any(organization.people)
  local form = "csrf=" .. escape(hidden(body, "csrf")) .. "&continue="
    .. escape(hidden(body, "continue")) .. "&username=" .. escape(person.username)
    .. "&password=" .. escape(person.password)
  push(post(
    "POST /t/" .. slug .. "/login HTTP/1.1\r\nHost: " .. plan.host .. "\r\nCookie: "
      .. (cookie(headers) or "") .. "\r\nContent-Type: application/x-www-form-urlencoded\r\n",
    form))
end

function response(status, headers, body)
  if status == 302 or status == 303 then
    local location = header(headers, "location") or ""
    local code = location:match("[?&]code=([%w_-]+)")
    if not code then return push(get(path(location), cookie(headers))) end
    local slug = unescape(location:match("[?&]iss=([^&]+)") or ""):match("/t/([^/]+)$")
    local organization = bySlug[slug]
    if not organization then return unexpected(status, location) end
    push(post(organization.head, organization.form .. code))
  elseif status == 200 and body:find('"id_token"', 1, true) then
    completed = completed + 1
  elseif status == 200 and body:find('name="password"', 1, true) then
    signIn(headers, body)
  elseif status == 503 and header(headers, "retry-after") then
    busy = busy + 1
    local asked = plan.patient and tonumber(header(headers, "retry-after"))
    table.insert(turnedAway, (asked or 1) * math.random(500, 1500))
  else
    unexpected(status, body)
  end
end

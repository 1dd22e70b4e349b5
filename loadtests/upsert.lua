-- Upserts for wrk: every request creates one more contact.
--
--   wrk -t1 -c64 -d10s -s loadtests/upsert.lua http://127.0.0.1:7171 -- snapshots/bootstrap.json
--
-- The last word is the file with the credentials that the server's first start writes. wrk measures
-- a closed loop and leaves out what waited; building each body costs it a part of a core. For
-- figures that are compared with anything, use the load generator beside this file.

local threads = 0

function setup(thread)
  thread:set("number_of_thread", threads)
  threads = threads + 1
end

local head
local counter = 0
local run = os.time()

function init(args)
  local path = args[1] or "snapshots/bootstrap.json"
  local file = assert(io.open(path, "r"))
  local text = file:read("*a")
  file:close()
  local function value(key)
    return assert(text:match('"' .. key .. '"%s*:%s*"([^"]+)"'), key .. " is not in " .. path)
  end
  head = {
    ["X-API-KEY"] = value("api_key"),
    ["X-BUSINESS-ID"] = value("business_id"),
    ["X-USER-ID"] = value("user_id"),
    ["Content-Type"] = "application/json",
  }
end

function request()
  counter = counter + 1
  local body = string.format(
    '{"lookup_value":"w%d-%d-%d@load.example","fields":{"first_name":"Marisol","last_name":"Okafor",'
      .. '"birthday":"1984-07-21","titles":["Buyer"]}}',
    run, number_of_thread, counter)
  return wrk.format("POST", "/api/records/client_client/upsert", head, body)
end

local refused = 0

function response(status)
  if status ~= 200 then
    refused = refused + 1
    if refused == 1 then
      io.stderr:write("an upsert was answered " .. status .. "\n")
    end
  end
end

-- Site file of the lab: what site.lua(5) calls the smallest useful one, and a little more.
---@type berth.site
return {
  images = {
    folders = { "/srv/images" },
    -- Only root can write here. Images of users, in /home, go through FUSE.
    trusted = { "/srv/images" },
  },
  pin = { default = "auto" },
  -- Every node of the lab lives in the memory of one machine.
  overlay_size = "256M",
}

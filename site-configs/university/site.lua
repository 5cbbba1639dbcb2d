-- Site file of a university cluster: a parallel file system, public and departmental images, and a
-- partition for courses in which only images of the site may run.

local course_partition = "teaching"
local largest_image = 64 * 1024 ^ 3

---@type berth.site
return {
  images = {
    folders = { "/sw/images", "/sw/images/departments" },
    trusted = { "/sw/images" },
  },

  mounts = {
    "/scratch",
    { source = "/sw/licenses", read_only = true, required = false },
    { source = "/etc/ssl/certs", read_only = true },
  },

  -- Users' own mounts: everything they can read, but for the exam papers.
  user_mounts = { forbidden = { "/sw/exams" } },
  cache = { folder = "/local/berth", quota = "200G" },

  environment = {
    set = { SCRATCH = "/scratch", HDF5_USE_FILE_LOCKING = "FALSE" },
    -- Paths of the login node's modules that mean nothing in a container.
    unset = { "LD_LIBRARY_PATH", "MODULEPATH" },
  },

  -- Tasks of the GPU nodes sit near a GPU; interactive steps keep what Slurm gives them.
  pin = { default = "auto", partitions = { gpu = "device:gpu", interactive = "none" }, on_failure = "warn" },
  workdir = "submit",
  overlay_size = "4G",

  admit = function(job, image)
    if job.partition == course_partition and not image.trusted then
      return false, "partition " .. course_partition .. " runs images of /sw/images only"
    end
    if image.size > largest_image then
      return false, "images are limited to 64 GiB; keep data beside the image, in /scratch"
    end
    return true
  end,
}

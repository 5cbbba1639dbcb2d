---@meta
-- Types of the Berth site file, for lua-language-server. At the top of site.lua:
--   ---@type berth.site
--   return { ... }

---@class berth.site
---@field images? berth.images where images are and which are trusted
---@field mounts? (string|berth.mount)[] what of the node is visible in every container
---@field user_mounts? berth.user_mounts what users may mount into their containers themselves
---@field cache? berth.cache where the unpack backend keeps the files of images
---@field warm_mounts? berth.warm_mounts how mounts of images outlive a step
---@field environment? berth.environment environment variables of every task
---@field pin? berth.pin pinning of tasks to cores
---@field stage? berth.stage copies of images on the nodes' own disks
---@field slurm_inside? boolean whether containers have the node's srun, sbatch, squeue, scontrol
---@field workdir? "submit"|"image" where tasks start
---@field overlay_size? string|integer what a container may write per node, such as "512M"
---@field admit? fun(job: berth.job, image: berth.image): boolean, string? true, or false and the reason

---@class berth.images
---@field folders? string[] searched in order for an image named without a slash
---@field trusted? string[] images below, if root alone can change them, use the kernel mount

---@class berth.mount
---@field source string absolute path on the node
---@field target? string absolute path in the container; default: source
---@field read_only? boolean default: false
---@field required? boolean false: skipped where the source is missing; default: true

---@class berth.user_mounts
---@field allowed? string[] sources in these folders
---@field forbidden? string[] but not in these

---@class berth.stage
---@field folder? string the same local folder on all nodes, where users can write
---@field nodes? integer images of a shared file system are copied for more nodes

---@class berth.cache
---@field folder? string absolute path on a local disk of the node
---@field quota? string|integer what all entries may take on disk, such as "200G"

---@class berth.warm_mounts
---@field idle_seconds? integer dropped when unused for longer; 0: every step mounts anew

---@class berth.environment
---@field set? table<string, string|integer> variables to set where the user has not
---@field unset? string[] variables to take away

---@class berth.pin
---@field default? string value of --pin for those who give none
---@field partitions? table<string, string> other values by partition
---@field on_failure? "warn"|"fail" what happens to a task that cannot be pinned

---@class berth.job
---@field id integer
---@field step integer
---@field uid integer
---@field gid integer
---@field user string
---@field account string
---@field partition string
---@field node string
---@field nodes integer
---@field tasks_on_node integer

---@class berth.image
---@field path string real path on the node
---@field size integer bytes
---@field owner integer uid of the file's owner
---@field trusted boolean may be mounted by the kernel

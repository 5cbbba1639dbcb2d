/* What a plugin compiled for another release of Slurm says of itself. */
__attribute__((visibility("default"))) const unsigned int plugin_version = 20 << 16 | 11 << 8 | 9;

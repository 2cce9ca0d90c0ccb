# What the chaos harness and its tests use: a C compiler, for the small library that moves a program's clock and slows its fsync
# (fleet/chaos/shim.c). tcc is the smallest one; it needs no headers for that.

setup_chaos() {
  local compiler
  for compiler in cc gcc clang tcc; do
    if type -P "$compiler" >/dev/null; then return 0; fi
  done
  apt_install tcc
}

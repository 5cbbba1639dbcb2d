const char* greeting(void) {
  return "hello from a private library";
}

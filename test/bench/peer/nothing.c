/* What is executed inside: nothing, so that only the way in is measured. */
int main(void) { return 0; }

// Package cmemory keeps what C libraries allocate from spreading: encoders are
// opened and closed with each viewer, from whichever thread, and the C library
// would keep what each thread once had.
package cmemory

/*
#include <malloc.h>

static void together(void) {
#ifdef __GLIBC__
	// One arena for all threads, and large blocks, pictures that is, straight from
	// the system and back to it: by itself glibc stops doing so after the first.
	mallopt(M_ARENA_MAX, 1);
	mallopt(M_MMAP_THRESHOLD, 128 * 1024);
#endif
}
*/
import "C"

// KeepTogether does so for the whole process from now on. It is called before the
// first encoder is opened, and may be called again.
func KeepTogether() { C.together() }

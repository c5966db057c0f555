//go:build !v4l2

package camera

import "errors"

// newV4L2 says that it can't. The driver is left out of other builds because it
// opens every video device of the machine when the program starts, a Raspberry Pi's
// own included.
func newV4L2(string) (Source, error) {
	return nil, errors.New("this build has no v4l2: build the robot with -tags v4l2, or choose another camera.source")
}

package camera

import (
	"errors"
	"fmt"
	"io"
	"time"

	"golang.org/x/sys/unix"
)

// settle is the pause after which a picture counts as whole, because nothing
// follows it.
const settle = 2 * time.Millisecond

// errStalled says that a program writes nothing that could be shown.
var errStalled = errors.New("no whole picture")

// rawPictures cuts what a program writes into pictures. Nothing in its output says
// where one begins; what does is that the program writes each when it has it, in
// one go, and then waits for the next:
//
//   - What comes between two pauses is whole pictures, or all of it is thrown away.
//   - A picture is passed on when a pause follows it; of several without a pause,
//     the last.
//
// So a picture that was cut short or grew is never shown, nor shifts those behind
// it. Within a picture only a long pause counts, half the time between two, for a
// busy machine may stop the program anywhere; if it stops it even longer, that
// costs one picture.
type rawPictures struct {
	fd     int // of a pipe
	ring   *ring
	pause  time.Duration // which ends a picture that is not whole
	limit  time.Duration // without any picture is the end: at first until there is one
	stall  time.Duration // the limit from then on
	begin  time.Time     // of the wait for the next
	whole  *timedPicture // nil, or complete but for the pause that must follow
	now    *timedPicture // being read
	length int           // how much of it there is, in bytes
	torn   uint64        // how often something was thrown away
}

// next returns the next picture: [io.EOF] if the program's output has ended,
// errStalled if there is none in time.
func (r *rawPictures) next() (*timedPicture, error) {
	r.begin = time.Now()
	for {
		more, err := r.wait(r.patience())
		switch {
		case err != nil:
			return nil, err
		case more:
			if err = r.read(); err != nil {
				return nil, err
			}
		case r.length > 0:
			r.throwAway()
		case r.whole != nil:
			p := r.whole
			r.whole, r.limit = nil, r.stall
			return p, nil
		}
		if time.Since(r.begin) >= r.limit {
			return nil, fmt.Errorf("%w for %s", errStalled, r.limit)
		}
	}
}

// patience is how long the next byte may take.
func (r *rawPictures) patience() time.Duration {
	left := r.limit - time.Since(r.begin)
	switch {
	case r.length > 0:
		return min(left, r.pause)
	case r.whole != nil:
		return min(left, settle)
	default:
		return left
	}
}

// wait reports whether there is something to read, or the end of it, within d.
func (r *rawPictures) wait(d time.Duration) (bool, error) {
	fds := [1]unix.PollFd{{Fd: int32(r.fd), Events: unix.POLLIN}} //nolint:gosec // G115: a file descriptor
	n, err := unix.Poll(fds[:], int(max(0, d+time.Millisecond-1)/time.Millisecond))
	if errors.Is(err, unix.EINTR) {
		return r.wait(d)
	}
	return n > 0, err
}

func (r *rawPictures) read() error {
	if r.now == nil {
		r.now = r.ring.take()
	}
	n, err := unix.Read(r.fd, r.now.memory[r.length:])
	switch {
	case errors.Is(err, unix.EINTR), errors.Is(err, unix.EAGAIN):
		return nil
	case err != nil:
		return err
	case n == 0:
		return io.EOF
	}
	if r.length == 0 {
		r.now.captured = time.Now()
	}
	if r.length += n; r.length == len(r.now.memory) {
		r.release()
		r.whole, r.now, r.length = r.now, nil, 0
	}
	return nil
}

// throwAway drops all that came since the last pause.
func (r *rawPictures) throwAway() {
	r.release()
	r.length = 0
	r.torn++
}

func (r *rawPictures) release() {
	if r.whole != nil {
		r.whole.release()
		r.whole = nil
	}
}

package harness

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"sync"
	"time"

	"golang.org/x/sys/unix"
)

// Cable joins two namespaces as a veth does, but it is long and bad: frames are
// late and some are lost, as on a mobile network. (Not every kernel has netem.)
type Cable struct {
	ends    [2]*os.File // TAP interfaces
	forward sync.WaitGroup
}

const (
	// cableQueue is how many frames fit into a cable; more are lost.
	cableQueue = 1024
	// maxFrame is an Ethernet frame of the usual MTU, with room for a tag.
	maxFrame = 1518
)

// NewCable makes an interface in each namespace. Frames take the delay to the
// other one, and the given share of them, from 0 to 1, gets lost. With
// [Cable.Cut] the interfaces go.
func NewCable(a, b Netns, nameA, nameB string, delay time.Duration, loss float64) (*Cable, error) {
	c := &Cable{}
	var errs [2]error
	c.ends[0], errs[0] = newTAP(a, nameA)
	c.ends[1], errs[1] = newTAP(b, nameB)
	if err := errors.Join(errs[:]...); err != nil {
		return nil, errors.Join(err, c.Cut())
	}
	for i, from := range c.ends {
		way := make(chan frame, cableQueue)
		// The same ones each time.
		lost := rand.New(rand.NewPCG(uint64(i), 0))
		c.forward.Go(func() { enter(from, way, delay, func() bool { return lost.Float64() < loss }) })
		c.forward.Go(func() { leave(way, c.ends[1-i]) })
	}
	return c, nil
}

// Cut removes the cable with its interfaces, and waits.
func (c *Cable) Cut() error {
	var errs []error
	for _, end := range c.ends {
		if end != nil {
			errs = append(errs, end.Close())
		}
	}
	c.forward.Wait()
	return errors.Join(errs...)
}

// frame is an Ethernet frame on its way.
type frame struct {
	data []byte
	due  time.Time
}

// enter reads frames until the interface is gone.
func enter(from *os.File, way chan<- frame, delay time.Duration, lost func() bool) {
	defer close(way)
	for {
		data := make([]byte, maxFrame)
		n, err := from.Read(data)
		if err != nil {
			return
		}
		if lost() {
			continue
		}
		select {
		case way <- frame{data[:n], time.Now().Add(delay)}:
		default: // the cable is full
		}
	}
}

// leave writes frames when they are due. An interface that is down takes none.
func leave(way <-chan frame, to *os.File) {
	for f := range way {
		<-time.After(time.Until(f.due))
		_, _ = to.Write(f.data)
	}
}

// newTAP makes a TAP interface in a namespace. It ends with the file.
func newTAP(n Netns, name string) (end *os.File, err error) {
	err = n.Enter(func() error {
		end, err = openTAP(name)
		return err
	})
	if err != nil {
		return nil, fmt.Errorf("make the interface %s in %s: %w", name, n, err)
	}
	return end, nil
}

func openTAP(name string) (*os.File, error) {
	fd, err := unix.Open("/dev/net/tun", unix.O_RDWR|unix.O_NONBLOCK|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	request, err := unix.NewIfreq(name)
	if err == nil {
		request.SetUint16(unix.IFF_TAP | unix.IFF_NO_PI)
		err = unix.IoctlIfreq(fd, unix.TUNSETIFF, request)
	}
	if err != nil {
		return nil, errors.Join(err, unix.Close(fd))
	}
	return os.NewFile(uintptr(fd), name), nil
}

package main

import (
	"bytes"
	"context"
	"fmt"
	"image"
	"math"
	"os"
	"strconv"
	"sync/atomic"
	"time"

	"wimz.dev/live/simapp"
)

const (
	rate   = 15       // pictures per second
	warm   = 2 * rate // pictures before anything is measured
	rounds = 2
	window = 5 * time.Second // of each measurement
	tick   = time.Second / 100
	// fair is the least part of the pictures that must have come: a robot that sends
	// fewer is not measured but overloaded.
	fair = 0.9
)

// cost is what a robot took, the mean of all rounds.
type cost struct {
	cpu  float64 // seconds, of one core, for a second of video
	fps  float64 // received by the worst-off viewer
	kbps float64 // likewise
}

func (c *cost) add(d cost) {
	c.cpu += d.cpu / rounds
	c.fps += d.fps / rounds
	c.kbps += d.kbps / rounds
}

// compare measures both robots with one viewer and with two, in turns, and prints a
// table.
func (l *lab) compare(ctx context.Context, ours, theirs *robot) error {
	var costs [2][2]cost // by viewers, then robots
	for round := range 2 * rounds {
		for i, r := range []*robot{ours, theirs} {
			c, err := l.measure(ctx, r, 1+round%2)
			if err != nil {
				return fmt.Errorf("%s: %w", r.id, err)
			}
			costs[round%2][i].add(c)
		}
	}
	fmt.Println("VP8 720p 15 fps        robot   aiortc    ratio")
	row := func(name string, decimals int, pair [2]float64) {
		fmt.Printf("%-19s %8.*f %8.*f %8.2f\n", name, decimals, pair[0], decimals, pair[1], pair[1]/pair[0])
	}
	for n, c := range costs {
		fmt.Println([]string{"one viewer", "two viewers"}[n])
		row("  CPU s/s", 3, [2]float64{c[0].cpu, c[1].cpu})
		row("  pictures/s", 1, [2]float64{c[0].fps, c[1].fps})
		row("  kbit/s", 0, [2]float64{c[0].kbps, c[1].kbps})
	}
	one, two := costs[0], costs[1]
	fmt.Printf("the second adds     %7.0f%% %7.0f%%\n", 100*(two[0].cpu/one[0].cpu-1), 100*(two[1].cpu/one[1].cpu-1))
	return nil
}

// viewer counts the pictures that arrive.
type viewer struct {
	*simapp.Viewing
	pictures atomic.Int64
	odd      atomic.Int64 // of another size
}

func (v *viewer) saw(p *image.YCbCr) {
	v.pictures.Add(1)
	if p.Rect.Dx() != 1280 {
		v.odd.Add(1)
	}
}

// measure watches a robot for a while.
func (l *lab) measure(ctx context.Context, r *robot, viewers int) (cost, error) {
	list := make([]*viewer, viewers)
	for i := range list {
		phone, err := l.system.Dial(ctx, l.owner, nil)
		if err != nil {
			return cost{}, err
		}
		defer phone.Close()
		v := &viewer{}
		if v.Viewing, err = phone.Watch(ctx, simapp.Options{Device: r.id, Codec: "vp8", OnPicture: v.saw}); err != nil {
			return cost{}, err
		}
		if err = v.WaitFrames(ctx, warm); err != nil {
			return cost{}, err
		}
		// Ours is not to make its picture smaller; theirs never does, and knows no
		// commands.
		_ = v.SendControl([]byte(`{"command":"set_video_quality","mode":"high"}`))
		list[i] = v
	}
	return r.watched(ctx, list)
}

// watched measures while viewers watch.
func (r *robot) watched(ctx context.Context, list []*viewer) (c cost, err error) {
	before, err := r.cpu()
	if err != nil {
		return c, err
	}
	begin := time.Now()
	for _, v := range list {
		v.pictures.Store(0)
		v.odd.Store(0)
	}
	select {
	case <-time.After(window):
	case <-ctx.Done():
		return c, ctx.Err()
	}
	after, err := r.cpu()
	if err != nil {
		return c, err
	}
	took := time.Since(begin).Seconds()
	c.fps = math.Inf(1)
	for _, v := range list {
		if fps := float64(v.pictures.Load()) / took; fps < c.fps {
			c.fps, c.kbps = fps, v.Report().BitrateKbps
		}
		if n := v.odd.Load(); n > 0 {
			return c, fmt.Errorf("%d pictures were not 720p", n)
		}
	}
	if c.fps < fair*rate {
		return c, fmt.Errorf("a viewer received %.1f pictures a second: this machine is too busy to compare", c.fps)
	}
	c.cpu = (after - before).Seconds() / (c.fps / rate * took)
	return c, nil
}

// cpu is what the robot's process has used of all cores (proc_pid_stat(5)).
func (r *robot) cpu() (time.Duration, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", r.Process.Pid))
	if err != nil {
		return 0, err
	}
	// The program's name, in brackets, may have spaces. utime and stime are the 14th
	// and 15th field, in 1/100 s.
	fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
	user, err := strconv.ParseInt(string(fields[11]), 10, 64)
	if err != nil {
		return 0, err
	}
	system, err := strconv.ParseInt(string(fields[12]), 10, 64)
	return time.Duration(user+system) * tick, err
}

package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"
	"strings"
	"time"

	"wimz.dev/live/simapp"
)

const (
	maxTime  = 10 * time.Second // of a line
	maxOrder = 256              // bytes of it
)

// order is a line of standard input.
type order struct {
	stop, emergency bool
	left, right     float64
	lasts           time.Duration
}

// parseOrder reads a line; ok is false for an empty one and for a # comment.
func parseOrder(line string) (o order, ok bool, err error) {
	words := strings.Fields(line)
	if len(words) == 0 || strings.HasPrefix(words[0], "#") {
		return order{}, false, nil
	}
	switch n := len(words); {
	case words[0] == "motor" && (n == 3 || n == 4):
		o.lasts = keyTime
		if n == 4 {
			o.lasts, err = lasting(words[3])
		}
		var errs [2]error
		o.left, errs[0] = speed(words[1])
		o.right, errs[1] = speed(words[2])
		err = errors.Join(err, errs[0], errs[1])
	case words[0] == "wait" && n == 2:
		o.lasts, err = lasting(words[1])
	case words[0] == "stop" && n == 1:
		o.stop = true
	case words[0] == "emergency_stop" && n == 1:
		o.emergency = true
	default:
		err = fmt.Errorf("%q makes no sense; see simapp drive --help", line)
	}
	return o, err == nil, err
}

func speed(word string) (float64, error) {
	v, err := strconv.ParseFloat(word, 64)
	if err != nil || math.IsNaN(v) || math.Abs(v) > 1 {
		return 0, fmt.Errorf("%q is no speed from -1 to 1", word)
	}
	return v, nil
}

func lasting(word string) (time.Duration, error) {
	d, err := time.ParseDuration(word)
	if err != nil || d <= 0 || d > maxTime {
		return 0, fmt.Errorf("%q is no time up to %s, such as 250ms", word, maxTime)
	}
	return d, nil
}

// numbered is a line as it was read.
type numbered struct {
	number int
	order  order
	err    error
}

// readOrders reads lines until they end, one of them makes no sense, or ctx ends.
// A read that goes on then ends with the program.
func readOrders(ctx context.Context, stdin io.Reader) <-chan numbered {
	orders := make(chan numbered)
	go func() {
		defer close(orders)
		lines := bufio.NewScanner(stdin)
		lines.Buffer(nil, maxOrder)
		for number := 1; ; number++ {
			var next numbered
			if lines.Scan() {
				o, ok, err := parseOrder(lines.Text())
				if !ok && err == nil {
					continue
				}
				next = numbered{number, o, err}
			} else if next.err = lines.Err(); next.err == nil {
				return
			}
			next.number = number
			if next.err != nil {
				next.err = fmt.Errorf("line %d: %w", number, next.err)
			}
			select {
			case orders <- next:
			case <-ctx.Done():
				return
			}
			if next.err != nil {
				return
			}
		}
	}()
	return orders
}

// byLines carries out the lines of standard input.
func byLines(ctx context.Context, stdin io.Reader, v *simapp.Viewing, refusals <-chan *simapp.RefusedError) error {
	if err := ready(ctx, v); err != nil {
		return err
	}
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	return obeyLines(ctx, readOrders(ctx, stdin), v, refusals)
}

func obeyLines(ctx context.Context, orders <-chan numbered, v vehicle, refusals <-chan *simapp.RefusedError) error {
	frames := time.NewTicker(frameEvery)
	defer frames.Stop()
	p := performer{motors: motors{v, zeros}}
	for {
		var o numbered
		var more bool
		select {
		case o, more = <-p.next(orders, time.Now()):
		case at := <-frames.C:
			select {
			case o, more = <-p.next(orders, at): // it goes before the rest
			default:
				if err := p.frame(at); err != nil {
					return err
				}
				continue
			}
		case r := <-refusals:
			return r
		case <-v.Done():
			return v.Err()
		case <-ctx.Done():
			return v.Stop(false)
		}
		if !more || o.err != nil {
			return errors.Join(o.err, v.Stop(false))
		}
		if err := p.begin(o.order, time.Now()); err != nil {
			return fmt.Errorf("line %d: %w", o.number, err)
		}
	}
}

// performer carries out orders.
type performer struct {
	motors

	left, right float64
	until       time.Time // the order has its time
}

func (p *performer) begin(o order, now time.Time) error {
	p.left, p.right, p.until = o.left, o.right, now.Add(o.lasts)
	if o.stop || o.emergency {
		p.resting = zeros
		return p.Stop(o.emergency)
	}
	return p.tell(now)
}

// next returns the orders, or nil while one has its time.
func (p *performer) next(orders <-chan numbered, now time.Time) <-chan numbered {
	if now.Before(p.until) {
		return nil
	}
	return orders
}

// frame tells the motors. When an order has had its time they rest.
func (p *performer) frame(now time.Time) error {
	if !now.Before(p.until) {
		p.left, p.right = 0, 0
	}
	return p.tell(now)
}

func (p *performer) tell(now time.Time) error {
	_, err := p.run(p.left, p.right, now)
	if errors.Is(err, errBlind) {
		err = errors.Join(err, p.Stop(false))
	}
	return err
}

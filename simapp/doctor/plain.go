package doctor

import (
	"context"
	"errors"
	"io"
	"net"
	"os"
	"syscall"

	"wimz.dev/live/simapp/internal/terminal"
)

// maxText bounds in bytes what is repeated of an error.
const maxText = 300

// plain says an error of the network in words, and repeats any other.
func plain(err error) string {
	if name, ok := errors.AsType[*net.DNSError](err); ok {
		if name.IsNotFound {
			return "there is no such name: " + printable(name.Name)
		}
		return "the name server does not answer for " + printable(name.Name)
	}
	if text, _ := certificateFault(err); text != "" {
		return text
	}
	switch {
	case errors.Is(err, syscall.ECONNREFUSED):
		return "nobody listens there (connection refused)"
	case errors.Is(err, syscall.EHOSTUNREACH), errors.Is(err, syscall.ENETUNREACH):
		return "there is no way to it from this network"
	case errors.Is(err, syscall.ECONNRESET), errors.Is(err, syscall.EPIPE), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF):
		return "the connection was cut"
	case timedOut(err):
		return "no answer in time"
	default:
		return printable(err.Error())
	}
}

// timedOut reports whether an error is the end of somebody's patience. A refusal
// that has words of its own is none.
func timedOut(err error) bool {
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, os.ErrDeadlineExceeded) {
		return true
	}
	network, ok := errors.AsType[net.Error](err)
	_, op := errors.AsType[*net.OpError](err)
	return ok && op && network.Timeout()
}

// printable makes a text of others fit for a terminal.
func printable(text string) string {
	if len(text) > maxText {
		text = text[:maxText]
	}
	return terminal.Printable(text)
}

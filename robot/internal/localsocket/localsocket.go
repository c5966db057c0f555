// Package localsocket opens the Unix sockets over which other programs on the
// robot talk to it. Who may connect is decided by the socket's permissions alone:
// the user the robot runs as and its group, in which the owner puts the programs'
// users, and root.
package localsocket

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"syscall"
	"time"
)

// dialTimeout bounds the question whether anyone still listens.
const dialTimeout = time.Second

// Listen listens at path with mode 0660. The socket that a robot which was killed
// left behind is replaced; one that is in use, and a file of another kind, are
// errors. Closing the listener removes the socket.
func Listen(ctx context.Context, path string) (*net.UnixListener, error) {
	if err := removeStale(ctx, path); err != nil {
		return nil, err
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, err
	}
	if err := os.Chmod(path, 0o660); err != nil { //nolint:gosec // G302: the group is meant
		return nil, errors.Join(err, listener.Close())
	}
	return listener, nil
}

// acceptAgain is how long after a failure connections are accepted again: the process
// has too many files open, and some of them will be closed.
const acceptAgain = time.Second

// Serve hands each connection to accept, one after the other, until ctx ends and the
// listener is closed. accept must not wait, and owns the connection.
func Serve(ctx context.Context, l *net.UnixListener, log *slog.Logger, accept func(*net.UnixConn)) {
	closed := make(chan struct{})
	context.AfterFunc(ctx, func() {
		defer close(closed)
		_ = l.Close() // it is given up
	})
	for {
		conn, err := l.AcceptUnix()
		switch {
		case ctx.Err() != nil:
			if err == nil {
				_ = conn.Close()
			}
			<-closed
			return
		case err == nil:
			accept(conn)
			continue
		}
		log.ErrorContext(ctx, "nobody can connect", "socket", l.Addr().String(), "error", err)
		select {
		case <-time.After(acceptAgain):
		case <-ctx.Done():
		}
	}
}

// replyTime is how long a program may take to read a reply.
const replyTime = time.Second

// Reply writes v as one line of JSON. With an error the connection is to be closed:
// the program does not read.
func Reply(conn net.Conn, v any) error {
	if err := conn.SetWriteDeadline(time.Now().Add(replyTime)); err != nil {
		return err
	}
	return json.NewEncoder(conn).Encode(v)
}

func removeStale(ctx context.Context, path string) error {
	info, err := os.Lstat(path)
	switch {
	case errors.Is(err, os.ErrNotExist):
		return nil
	case err != nil:
		return err
	case info.Mode().Type() != os.ModeSocket:
		return fmt.Errorf("%s exists and is no socket", path)
	}
	conn, err := (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", path)
	if err == nil {
		_ = conn.Close() // it was opened to see whether it could be
		return fmt.Errorf("%s is in use by another program", path)
	}
	if !errors.Is(err, syscall.ECONNREFUSED) {
		return err
	}
	return os.Remove(path)
}

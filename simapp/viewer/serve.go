package viewer

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"time"
)

// drainTime is how long requests may take to end when the server stops.
const drainTime = 3 * time.Second

// Serve answers requests on the listener until ctx ends, which is no error. It
// closes the listener, and waits for every request and every open socket.
func Serve(ctx context.Context, listener net.Listener, cfg Config) error {
	handler, err := Handler(cfg)
	if err != nil {
		return errors.Join(err, listener.Close())
	}
	living, end := context.WithCancel(context.WithoutCancel(ctx))
	defer end()
	var open sync.WaitGroup
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			open.Add(1)
			defer open.Done()
			handler.ServeHTTP(w, r)
		}),
		BaseContext:       func(net.Listener) context.Context { return living },
		ReadHeaderTimeout: 5 * time.Second,
		ReadTimeout:       15 * time.Second,
		WriteTimeout:      30 * time.Second,
		IdleTimeout:       time.Minute,
		MaxHeaderBytes:    16 << 10,
		ErrorLog:          slog.NewLogLogger(cfg.Log.Handler(), slog.LevelDebug),
	}
	stopped := make(chan error, 1)
	stop := context.AfterFunc(ctx, func() {
		drain, cancel := context.WithTimeout(living, drainTime)
		defer cancel()
		drained := server.Shutdown(drain)
		end() // Shutdown knows nothing of sockets; their requests end with this
		stopped <- errors.Join(drained, ignoreClosed(server.Close()))
	})
	err = server.Serve(listener)
	if stop() { // the listener broke
		return errors.Join(err, server.Close())
	}
	err = <-stopped
	open.Wait()
	return err
}

func ignoreClosed(err error) error {
	if errors.Is(err, net.ErrClosed) {
		return nil
	}
	return err
}

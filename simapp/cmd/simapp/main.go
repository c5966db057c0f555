// Command simapp is the app without a phone: it watches a robot in the
// terminal and measures what comes, serves a page that shows the video, sends
// commands and shows events. See simapp --help.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"wimz.dev/live/relay/cli"
)

func main() {
	// Who stops reading is found out by writing: sessions are closed all the same.
	signal.Ignore(syscall.SIGPIPE)
	cli.Main(func(ctx context.Context) int {
		return run(ctx, os.Args[1:], os.Stdin, os.Stdout, os.Stderr)
	})
}

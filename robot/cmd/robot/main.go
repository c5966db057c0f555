// Command robot runs a robot: it connects to the relay and sends its camera's
// video to those who watch. See robot --help.
package main

import (
	"context"
	"os"

	"wimz.dev/live/relay/cli"
)

func main() {
	cli.Main(func(ctx context.Context) int {
		return run(ctx, os.Args[1:], os.Stdout, os.Stderr)
	})
}

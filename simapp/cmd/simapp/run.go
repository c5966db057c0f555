package main

import (
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"sync"

	"github.com/alecthomas/kong"

	"wimz.dev/live/relay/cli"
)

const description = `The app's end of WIM-Z live video, without a phone. Log in once, then watch, drive and listen:

    simapp login --relay wss://relay.example.com
    simapp devices
    simapp pair 7K3M-9QXD
    simapp watch
    simapp drive
    simapp send dispense_treat
    simapp events
    simapp serve

` + exitStatuses

// grammar is the command line.
type grammar struct {
	Verbose bool             `short:"v" help:"Log what happens, and every step of WebRTC, to standard error."`
	Version kong.VersionFlag `help:"Print the version."`

	Login    loginCmd    `cmd:"" help:"Log in, for all the other commands."`
	Register registerCmd `cmd:"" help:"Open an account."`
	Logout   logoutCmd   `cmd:"" help:"Log out."`
	Devices  devicesCmd  `cmd:"" help:"List the robots of the account."`
	Pair     pairCmd     `cmd:"" help:"Become the owner of the robot that shows a code."`
	Unpair   unpairCmd   `cmd:"" help:"Give a robot up."`
	Watch    watchCmd    `cmd:"" help:"Watch a robot in the terminal and measure what comes."`
	Drive    driveCmd    `cmd:"" help:"Drive a robot with the keys of the terminal."`
	Serve    serveCmd    `cmd:"" help:"Serve a page that shows a robot's video."`
	Send     sendCmd     `cmd:"" help:"Send a robot a command."`
	Events   eventsCmd   `cmd:"" help:"Show what robots tell."`
	Doctor   doctorCmd   `cmd:"" help:"Look for what stands between this machine and a robot's picture."`
	Load     loadCmd     `cmd:"" help:"Put a relay under load and measure it."`

	Completion completionCmd `cmd:"" help:"Print a script that completes commands in your shell."`
}

// app is what the commands share.
type app struct {
	stdin  io.Reader
	stdout io.Writer
	stderr *held
	log    *slog.Logger // to stderr

	verbose bool
	running sync.WaitGroup // what ends with the command, and is waited for
}

// printJSON prints what a program reads, and people may.
func (a *app) printJSON(value any) error {
	out := json.NewEncoder(a.stdout)
	out.SetIndent("", "  ")
	return out.Encode(value)
}

// run is the whole program but for the process: it returns the exit status. It
// ends when the command does, or soon after ctx, which is how it is told to stop.
func run(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	errors := &held{to: stderr}
	program := cli.Program{Name: "simapp", Description: description, Stdout: stdout, Stderr: errors, Status: exitStatus}
	var g grammar
	command, status := program.Parse(&g, args)
	if command == nil {
		return status
	}
	level := slog.LevelWarn
	if g.Verbose {
		level = slog.LevelDebug
	}
	a := &app{
		stdin: stdin, stdout: stdout, stderr: errors, verbose: g.Verbose,
		log: cli.Logger(errors, level, "text"),
	}
	defer a.running.Wait()
	return program.Run(ctx, command, a)
}

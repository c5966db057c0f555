package e2e

import (
	"errors"
	"strings"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/client"
	"wimz.dev/live/relay/wire"
	"wimz.dev/live/simapp"
)

var _ = everywhere("A robot that shows a code", func(b harness.Backend) {
	It("and that nobody owns is watched by the one who types it, once", func(ctx SpecContext) {
		const found wire.DeviceID = "wimz_found"
		s := empty(ctx, b, harness.Options{})
		configFile, err := s.AddDevice(ctx, found, harness.User{})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.StartRobot(ctx, found, configFile, harness.User{})).To(Succeed())
		finder, neighbour := s.user(ctx, "finder@example.com"), s.user(ctx, "neighbour@example.com")

		code := s.code(ctx, configFile)
		Expect(s.pair(ctx, finder, strings.ToLower(code))).To(Equal(found))
		Expect(s.AwaitOnline(ctx, found, finder)).To(Succeed(), "it was there all the time")
		phone, err := s.Dial(ctx, finder, nil)
		Expect(err).NotTo(HaveOccurred())
		viewing, err := phone.Watch(ctx, simapp.Options{Device: found})
		Expect(err).NotTo(HaveOccurred())
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())

		for _, user := range []harness.User{neighbour, finder} {
			Expect(s.pairStatus(ctx, user, code)).To(Equal(404), "the code is used up")
		}
		Expect(viewing.WaitFrames(ctx, 5)).To(Succeed())
	}, SpecTimeout(specTime))

	It("stays its owner's, whoever else types it", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		code := s.code(ctx, s.configFile)
		Expect(s.pairStatus(ctx, s.user(ctx, "neighbour@example.com"), code)).To(Equal(409))
		Expect(s.pair(ctx, s.owner, code)).To(Equal(robotID))
	}, SpecTimeout(specTime))

	It("too long ago is not paired by it", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{PairingTTL: time.Second})
		configFile, err := s.AddDevice(ctx, "wimz_found", harness.User{})
		Expect(err).NotTo(HaveOccurred())
		code := s.code(ctx, configFile)
		shown := time.Now()
		Eventually(time.Now).Should(BeTemporally(">", shown.Add(time.Second)))
		Expect(s.pairStatus(ctx, s.owner, code)).To(Equal(404))
	}, SpecTimeout(specTime))

	It("is not found by trying codes", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		code := s.code(ctx, s.configFile)
		status, tries := 404, 0
		for ; status == 404 && tries < 50; tries++ {
			status = s.pairStatus(ctx, s.owner, "0000-0000")
		}
		Expect(status).To(Equal(429))
		Expect(tries).To(BeNumerically("<", 15))
		_, err := simapp.PairDevice(ctx, s.RelayURL(), s.owner.Token, code)
		refused, _ := errors.AsType[*simapp.APIError](err)
		Expect(refused).To(HaveField("Status", 429), "a guess that is right comes too late")
		Expect(refused.RetryAfter).To(BeNumerically(">", 0))
	}, SpecTimeout(specTime))
})

var _ = everywhere("An owner who", func(b harness.Backend) {
	It("unpairs the robot is refused it as if it did not exist, and so until paired again", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		robot, app := s.puppet(ctx), s.app(ctx, s.owner)
		Expect(simapp.UnpairDevice(ctx, s.RelayURL(), s.owner.Token, robotID)).To(Succeed())
		Expect(s.refusal(ctx, app, robotID)).To(Equal(s.refusal(ctx, app, "wimz_nobody")))
		err := simapp.UnpairDevice(ctx, s.RelayURL(), s.owner.Token, robotID)
		refused, _ := errors.AsType[*simapp.APIError](err)
		Expect(refused).To(HaveField("Status", 404), "it is not theirs any more")

		Expect(s.pair(ctx, s.owner, s.code(ctx, s.configFile))).To(Equal(robotID))
		request(app, robotID)
		_, err = robot.Next(ctx, wire.TypeRequest)
		Expect(err).NotTo(HaveOccurred())
	}, SpecTimeout(specTime))

	It("gives the robot away is refused it, and the next owner is not", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		friend := s.user(ctx, "friend@example.com")
		robot, before, after := s.puppet(ctx), s.app(ctx, s.owner), s.app(ctx, friend)
		_, err := s.Operate(ctx, "device", "transfer", string(robotID), "--to", friend.Email)
		Expect(err).NotTo(HaveOccurred())
		Expect(s.refusal(ctx, before, robotID)).To(Equal(s.refusal(ctx, before, "wimz_nobody")))
		request(after, robotID)
		_, err = robot.Next(ctx, wire.TypeRequest)
		Expect(err).NotTo(HaveOccurred())
		devices, err := simapp.Devices(ctx, s.RelayURL(), friend.Token)
		Expect(err).NotTo(HaveOccurred())
		Expect(devices).To(ConsistOf(simapp.DeviceStatus{DeviceID: robotID, Online: true}))
	}, SpecTimeout(specTime))
})

var _ = everywhere("A robot with two secrets", func(b harness.Backend) {
	It("connects with either, and with the newer one after the older is dropped", func(ctx SpecContext) {
		s := empty(ctx, b, harness.Options{})
		connect := func(configFile string) error {
			robot, err := s.RawRobot(ctx, robotID, configFile)
			if err != nil {
				return err
			}
			return robot.Close()
		}
		older := s.configFile
		newer, err := s.AddSecret(ctx, robotID)
		Expect(err).NotTo(HaveOccurred())
		Expect(connect(older)).To(Succeed())
		Expect(connect(newer)).To(Succeed())
		Expect(connect(older)).To(Succeed())

		_, err = s.Operate(ctx, "device", "secret", "drop", string(robotID))
		Expect(err).NotTo(HaveOccurred())
		Expect(connect(older)).To(MatchError(client.ErrUnauthorized))
		Expect(connect(newer)).To(Succeed())
	}, SpecTimeout(specTime))
})

// code lets a robot show a code.
func (s *stage) code(ctx SpecContext, configFile string) string {
	GinkgoHelper()
	code, err := s.PairingCode(ctx, configFile)
	Expect(err).NotTo(HaveOccurred())
	return code
}

func (s *stage) pair(ctx SpecContext, user harness.User, code string) wire.DeviceID {
	GinkgoHelper()
	id, err := simapp.PairDevice(ctx, s.RelayURL(), user.Token, code)
	Expect(err).NotTo(HaveOccurred())
	return id
}

// pairStatus returns the status that a code is refused with.
func (s *stage) pairStatus(ctx SpecContext, user harness.User, code string) int {
	GinkgoHelper()
	_, err := simapp.PairDevice(ctx, s.RelayURL(), user.Token, code)
	refused, ok := errors.AsType[*simapp.APIError](err)
	Expect(ok).To(BeTrue(), "the answer is %v", err)
	return refused.Status
}

// refusal asks for a robot and returns the error without the robot's name.
func (s *stage) refusal(ctx SpecContext, app *harness.Peer, id wire.DeviceID) wire.Message {
	GinkgoHelper()
	request(app, id)
	refused, err := app.Next(ctx, wire.TypeError)
	Expect(err).NotTo(HaveOccurred())
	Expect(refused.Code).To(Equal(wire.CodeNotAuthorized))
	Expect(refused.DeviceID).To(Equal(id))
	refused.DeviceID = ""
	return refused
}

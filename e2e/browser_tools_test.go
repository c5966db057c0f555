package e2e

import (
	"context"
	"image"
	"image/png"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/chromedp"
	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"wimz.dev/live/e2e/harness"
	"wimz.dev/live/relay/wire"
)

var _ = inBrowser("A new owner with nothing but the page", func() {
	It("opens an account, adds the robot by its code, and sees it", func(ctx SpecContext) {
		const found wire.DeviceID = "wimz_found"
		s := empty(ctx, &binaries, harness.Options{})
		configFile, err := s.AddDevice(ctx, found, harness.User{})
		Expect(err).NotTo(HaveOccurred())
		Expect(s.StartRobot(ctx, found, configFile, harness.User{})).To(Succeed())
		t := s.viewer(ctx)
		t.complaints.allow(codeRefused)
		Eventually(t.state).Should(Equal("login"))
		t.click("#login-other")
		t.signIn(harness.User{Email: "new@example.com", Password: "correct horse battery"})

		Eventually(t.text("#pair-hint")).Should(ContainSubstring("eight letters"), "there is no robot yet: it asks for one")
		t.fill("#pair-code", "0000-0000")
		t.click("#pair-submit")
		Eventually(t.text("#pair-error")).ShouldNot(BeEmpty())
		code, err := s.PairingCode(ctx, configFile)
		Expect(err).NotTo(HaveOccurred())
		t.fill("#pair-code", strings.ToLower(code))
		t.click("#pair-submit")
		t.expectLive()
		Expect(evaluate[string](t, "document.querySelector('#robots').innerText")()).To(ContainSubstring(string(found)))
	}, SpecTimeout(specTime))
})

var _ = inBrowser("The tools below the picture", func() {
	It("change it, keep it, and leave it as it was", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		t := s.viewer(ctx)
		t.signIn(s.owner)
		t.expectLive()
		folder := t.downloads()

		By("keeping a picture")
		Expect(t.number(clockAt)()).To(BeNumerically("<", 90), "the overlay's clock is dark")
		t.click("#snapshot")
		name := awaitFile(ctx, folder, "png")
		Expect(filepath.Base(name)).To(MatchRegexp(`^wimz_abc123-\d{4}-\d\d-\d\d-\d{6}\.png$`))
		Expect(sizeOf(name)).To(Equal(image.Pt(1280, 720)))

		By("recording")
		t.click("#record")
		Eventually(t.text("#record-time")).Should(Equal("0:03"))
		t.click("#record")
		Expect(decodable(ctx, awaitFile(ctx, folder, "mp4", "webm"))).To(BeNumerically(">=", 20), "pictures")

		By("leaving the overlay out")
		t.click("#overlay")
		Eventually(t.number(clockAt)).Should(BeNumerically(">", 90), "the sky")

		By("choosing a small picture")
		t.run(`const quality = document.querySelector('#quality');
			quality.value = 'low';
			quality.dispatchEvent(new Event('change'))`)
		Eventually(t.number("document.querySelector('video').videoWidth")).Should(BeEquivalentTo(640))
		Eventually(t.number("document.querySelector('#bars').dataset.bars * 1")).Should(BeNumerically(">", 0), "the robot's report")

		By("filling the screen")
		t.click("#fullscreen")
		Eventually(evaluate[bool](t, "document.fullscreenElement !== null")).Should(BeTrue())
		t.click("#fullscreen")
		Eventually(evaluate[bool](t, "document.fullscreenElement !== null")).Should(BeFalse())
		t.expectMoving()
	}, SpecTimeout(specTime))
})

var _ = inBrowser("The small window", func() {
	It("has the picture while it is asked for, and is offered only where the browser has one", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{})
		url := s.page(ctx)
		t, other := visit(ctx, url), visit(ctx, url,
			"delete Document.prototype.pictureInPictureEnabled; delete Element.prototype.requestFullscreen; delete window.MediaRecorder")
		t.signIn(s.owner)
		t.expectLive()
		small := evaluate[string](t, "document.pictureInPictureElement?.id ?? ''")
		pressed := evaluate[string](t, "document.querySelector('#pip').ariaPressed")
		t.click("#pip")
		Eventually(small).Should(Equal("video"))
		Eventually(pressed).Should(Equal("true"))
		t.expectMoving()

		By("pressing again")
		t.click("#pip")
		Eventually(small).Should(BeEmpty())
		Eventually(pressed).Should(Equal("false"))

		By("closing it in the window itself")
		t.click("#pip")
		Eventually(pressed).Should(Equal("true"))
		t.run("document.exitPictureInPicture()")
		Eventually(pressed).Should(Equal("false"))

		By("being refused one")
		t.run("HTMLVideoElement.prototype.requestPictureInPicture = () => Promise.reject(new Error('not now'))")
		t.click("#pip")
		Eventually(t.text("#said")).Should(ContainSubstring("does not show the picture in a window of its own now"))
		Expect(pressed()).To(Equal("false"))
		t.run("Element.prototype.requestFullscreen = () => Promise.reject(new Error('not now'))")
		t.click("#fullscreen")
		Eventually(t.text("#said")).Should(ContainSubstring("does not give the page the whole screen now"))

		By("having no such thing")
		other.signIn(s.owner)
		other.expectLive()
		Expect(evaluate[[]string](other, "[...document.querySelectorAll('button.tool')].filter((e) => e.checkVisibility()).map((e) => e.id)")()).
			To(Equal([]string{"overlay", "snapshot"}))
	}, SpecTimeout(specTime))
})

var _ = inBrowser("A picture that stands still", func() {
	It("is veiled, and its age is said", func(ctx SpecContext) {
		s := ready(ctx, &binaries, harness.Options{Grace: 10 * time.Second})
		t := s.viewer(ctx)
		t.signIn(s.owner)
		t.expectLive()
		t.expectMoving()
		Expect(t.text("#badge")()).To(Equal("Live"))
		s.lossy = true // nobody says goodbye
		Expect(s.Robots[robotID].Kill()).To(Succeed())
		Eventually(evaluate[string](t, "document.querySelector('.stage').innerText")).Should(MatchRegexp(`video is [1-9]\d* s old`))
		Expect(t.text("#badge")()).To(BeEmpty(), "what stands still is not live")
	}, SpecTimeout(specTime))
})

// clockAt is how bright the picture is in a corner of the overlay's clock, 0 to 255.
const clockAt = `(() => {
	const video = document.querySelector('video');
	const canvas = new OffscreenCanvas(video.videoWidth, video.videoHeight);
	canvas.getContext('2d').drawImage(video, 0, 0);
	const at = [Math.round(video.videoWidth * .8185), Math.round(video.videoHeight * .03)];
	return canvas.getContext('2d').getImageData(...at, 1, 1).data[0];
})()`

// downloads lets the browser save files, and returns where.
func (t *tab) downloads() (folder string) {
	GinkgoHelper()
	folder = GinkgoT().TempDir()
	t.do(chromedp.Func(func(ctx context.Context, target *chromedp.Target) error {
		_, err := cdp.Call(ctx, target, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
			Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: folder,
			BrowserContextID: chromedp.FromContext(ctx).BrowserContextID,
		})
		return err
	}))
	return folder
}

// awaitFile returns the file with one of these endings that is in a folder once the
// browser has written it.
func awaitFile(ctx SpecContext, folder string, endings ...string) (name string) {
	GinkgoHelper()
	Eventually(func() (found []string) {
		for _, ending := range endings {
			matches, _ := filepath.Glob(filepath.Join(folder, "*."+ending)) // the pattern is good
			found = append(found, matches...)
		}
		name = strings.Join(found, " ")
		return found
	}).WithContext(ctx).Should(HaveLen(1), "files of %v", endings)
	return name
}

func sizeOf(name string) image.Point {
	GinkgoHelper()
	file, err := os.Open(name)
	Expect(err).NotTo(HaveOccurred())
	defer file.Close() //nolint:errcheck // it is only read
	picture, err := png.Decode(file)
	Expect(err).NotTo(HaveOccurred())
	return picture.Bounds().Size()
}

// decodable counts the pictures that ffmpeg decodes of a recording.
func decodable(ctx SpecContext, name string) int {
	GinkgoHelper()
	out, err := exec.CommandContext(ctx, "ffmpeg", "-v", "error", "-i", name, "-f", "framemd5", "-").Output()
	Expect(err).NotTo(HaveOccurred())
	pictures := 0
	for line := range strings.Lines(string(out)) {
		if !strings.HasPrefix(line, "#") {
			pictures++
		}
	}
	return pictures
}

// The camera with the last photo as a ghost over it, and the slider between two photos. Without it
// photos are chosen from the device and stand side by side.
"use strict";

const camera = document.getElementById("camera");
if (camera && !(navigator.mediaDevices?.getUserMedia && window.DataTransfer)) camera.hidden = true;
else if (camera) {
  const form = document.getElementById("photo-form");
  const frame = camera.querySelector(".frame");
  const video = frame.querySelector("video");
  const canvas = frame.querySelector("canvas");
  const ghost = frame.querySelector(".ghost");
  const take = document.getElementById("camera-take");
  const ready = take.textContent;

  document.getElementById("camera-on").addEventListener("click", async (event) => {
    const wish = { video: { facingMode: "environment", width: { ideal: 2400 } }, audio: false };
    try {
      video.srcObject = await navigator.mediaDevices.getUserMedia(wish);
      // Before the first picture is there, none can be taken.
      await new Promise((there) => { video.onloadeddata = there; });
    } catch {
      event.target.textContent = event.target.dataset.missing;
      return;
    }
    event.target.hidden = true;
    for (const each of [frame, take, camera.querySelector(".ghost-field")]) {
      if (each) each.hidden = false;
    }
  });

  document.getElementById("ghost")?.addEventListener("input", (event) => {
    ghost.style.opacity = event.target.value / 100;
  });

  // What was taken stands still, to be looked at before it is kept.
  const still = (isTaken) => {
    video.hidden = isTaken;
    canvas.hidden = !isTaken;
    take.textContent = isTaken ? take.dataset.again : ready;
    if (ghost) ghost.hidden = isTaken;
  };
  take.addEventListener("click", () => {
    if (!canvas.hidden) {
      form.elements.taken.value = "";
      still(false);
      return;
    }
    canvas.width = video.videoWidth;
    canvas.height = video.videoHeight;
    canvas.getContext("2d").drawImage(video, 0, 0);
    canvas.toBlob((blob) => {
      const files = new DataTransfer();
      files.items.add(new File([blob], "photo.jpg", { type: "image/jpeg" }));
      form.elements.taken.files = files.files;
      still(true);
    }, "image/jpeg", 0.95);
  });
  form.addEventListener("submit", () => {
    for (const track of video.srcObject?.getTracks() ?? []) track.stop();
  });
}

const reveal = document.getElementById("reveal");
if (reveal) {
  const top = document.querySelector(".over .top");
  const show = () => { top.style.clipPath = `inset(0 0 0 ${reveal.value}%)`; };
  reveal.addEventListener("input", show);
  show();
}

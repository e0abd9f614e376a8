// Maps: places shown beside their list ([data-map]) and a point to choose in a form ([data-place]). Leaflet is fetched when
// a map is asked for, tiles only where the municipality has named an address for them. Lists and words say the same.
(() => {
  "use strict";
  const POINT = { radius: 8, weight: 2, color: "#ffffff", fillColor: "#00585f", fillOpacity: 0.95 };
  const CHOSEN = { radius: 12, weight: 3, color: "#ffffff", fillColor: "#b4400a", fillOpacity: 1 };
  const BORDER = { weight: 1.5, color: "#5c7a78", fillColor: "#dbe7e4", fillOpacity: 0.6, interactive: false };
  const MIDDLE = [56.1, 10.9]; // of Denmark, when no district has a border
  let fetched = null;

  const fetchLeaflet = (data) => {
    const bring = (kind, made) =>
      new Promise((done, failed) => {
        const element = Object.assign(document.createElement(kind), made, { onload: done, onerror: failed });
        document.head.append(element);
      });
    fetched ??= Promise.all([
      bring("script", { src: data.leaflet }),
      bring("link", { rel: "stylesheet", href: data.leafletSheet }),
    ]).catch((failure) => {
      fetched = null; // the next press of the button tries again
      throw failure;
    });
    return fetched;
  };
  const read = async (address) => {
    const answer = await fetch(address, { headers: { Accept: "application/geo+json" } });
    if (!answer.ok) throw new Error(String(answer.status));
    return answer.json();
  };
  const fill = (text, values) => text.replace(/\{(\w+)\}/g, (_all, name) => values[name]);

  // Leaflet on an element, with districts and tiles. Returns the map and the borders' features.
  const draw = async (element, data) => {
    await fetchLeaflet(data);
    const borders = await read(data.borders);
    element.hidden = false;
    const map = L.map(element, { preferCanvas: true, zoomControl: false, zoomSnap: 0.25, attributionControl: false, fadeAnimation: false });
    L.control.zoom({ zoomInTitle: data.zoomIn, zoomInText: "", zoomOutTitle: data.zoomOut, zoomOutText: "" }).addTo(map);
    if (data.tiles) {
      L.control.attribution({ prefix: false }).addTo(map);
      const by = document.createElement("span");
      by.textContent = data.tilesBy || "";
      L.tileLayer(data.tiles, { attribution: by.innerHTML, maxZoom: 19, referrerPolicy: "origin" }).addTo(map);
    }
    const layer = L.geoJSON(borders, { style: data.tiles ? { ...BORDER, fillOpacity: 0 } : BORDER }).addTo(map);
    if (layer.getLayers().length) map.fitBounds(layer.getBounds(), { animate: false, padding: [8, 8] });
    else map.setView(MIDDLE, 7, { animate: false });
    for (const control of element.querySelectorAll(".leaflet-control-zoom a")) control.removeAttribute("href");
    if (!data.tiles) nameDistricts(map, layer);
    return { map, layer };
  };

  // Where nothing lies under them the districts carry their names, as far as there is room. Lists say the names too.
  const nameDistricts = (map, layer) => {
    for (const district of layer.getLayers()) {
      const name = document.createElement("span");
      name.textContent = district.feature.properties.name;
      district.bindTooltip(name, { permanent: true, direction: "center", className: "map-district", interactive: false, opacity: 1 });
    }
    const fit = () => {
      for (const district of layer.getLayers()) {
        const bounds = district.getBounds();
        const [east, west] = [map.latLngToLayerPoint(bounds.getSouthEast()), map.latLngToLayerPoint(bounds.getSouthWest())];
        const label = district.getTooltip().getElement();
        if (label) label.hidden = east.x - west.x < label.scrollWidth + 8;
      }
    };
    map.on("zoomend", fit);
    fit();
  };

  const onEnter = (element, act) => {
    element.addEventListener("keydown", (event) => {
      if (event.key !== "Enter" || event.target !== element) return;
      event.preventDefault(); // a form is not sent from its map
      act();
    });
  };

  // All places, and the list that follows the map.
  const showPlaces = async (element) => {
    const data = element.dataset;
    const list = document.getElementById(data.list);
    const said = element.parentElement.querySelector(".map-said");
    const { map, layer } = await draw(element, data);
    const all = (await read(data.map)).features;
    const features = data.district ? all.filter((feature) => String(feature.properties.in) === data.district) : all;
    const district = layer.getLayers().find((one) => String(one.feature.properties.id) === data.district);
    if (district) map.fitBounds(district.getBounds(), { animate: false, padding: [8, 8] });
    element.setAttribute("role", "application");
    element.setAttribute("aria-label", data.label);
    let chosen = null;

    const points = features.map((feature) => {
      const [lng, lat] = feature.geometry.coordinates;
      const point = L.circleMarker([lat, lng], POINT).addTo(map);
      point.place = feature.properties;
      point.on("click", () => choose(point));
      return point;
    });
    // With everything else that lies at the very same spot: on the map they can't be told apart.
    const describe = (point) => {
      const box = document.createElement("div");
      const others = points.filter((other) => other !== point && other.getLatLng().equals(point.getLatLng()));
      for (const { place } of [point, ...others]) {
        const link = document.createElement("a");
        link.href = place.url;
        link.textContent = place.title;
        const line = document.createElement("p");
        line.append(link);
        box.append(line);
      }
      if (point.place.district) {
        const where = document.createElement("p");
        where.textContent = point.place.district;
        box.append(where);
      }
      return box;
    };
    const choose = (point) => {
      if (chosen) chosen.setStyle(POINT).setRadius(POINT.radius);
      chosen = point;
      point.setStyle(CHOSEN).setRadius(CHOSEN.radius).bringToFront();
      point.unbindPopup().bindPopup(describe(point), { maxWidth: Math.min(280, element.clientWidth - 80), maxHeight: 200 }).openPopup();
      const popup = point.getPopup().getElement();
      popup.querySelector(".leaflet-popup-close-button").setAttribute("aria-label", data.close);
      popup.querySelector("a").focus({ preventScroll: true });
    };
    const nearest = (to) =>
      points.reduce((best, point) => {
        const away = map.distance(to, point.getLatLng());
        return !best || away < best.away ? { point, away } : best;
      }, null)?.point;

    onEnter(element, () => {
      const point = nearest(map.getCenter());
      if (point) choose(point);
    });
    element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") map.closePopup();
    });
    map.on("popupclose", () => {
      if (chosen) chosen.setStyle(POINT).setRadius(POINT.radius);
      chosen = null;
      if (element.contains(document.activeElement) || document.activeElement === document.body) element.focus({ preventScroll: true });
    });
    const count = () => {
      const bounds = map.getBounds();
      const shown = points.filter((point) => bounds.contains(point.getLatLng())).length;
      const number = new Intl.NumberFormat(document.documentElement.lang);
      said.textContent = fill(data.inView, { shown: number.format(shown), all: number.format(points.length) });
    };
    map.on("moveend", count);
    count();
    for (const row of list.querySelectorAll("li[data-lat]")) {
      const button = document.createElement("button");
      button.type = "button";
      button.className = "function-link button-link small";
      button.textContent = data.show;
      const link = row.querySelector("a");
      const name = link.textContent.trim();
      button.setAttribute("aria-label", `${data.show}: ${name}`);
      button.addEventListener("click", () => {
        const at = [Number(row.dataset.lat), Number(row.dataset.lng)];
        const point = points.find(({ place }) => place.url === link.getAttribute("href")) ?? nearest(L.latLng(at));
        map.setView(at, Math.max(map.getZoom(), 13), { animate: false });
        element.scrollIntoView({ block: "nearest" });
        if (point) choose(point);
      });
      row.append(button);
    }
  };

  // One point in a form. The text field stays the field; the map writes into it.
  const choosePlace = (field) => {
    const data = field.dataset;
    const input = document.getElementById(data.place);
    const buttons = document.createElement("div");
    buttons.className = "place-buttons";
    const said = document.createElement("p");
    said.className = "soft small";
    said.setAttribute("role", "status");
    const help = document.createElement("p");
    help.className = "form-hint";
    help.textContent = data.help;
    help.hidden = true;
    const element = document.createElement("div");
    element.className = "map";
    element.hidden = true;
    field.append(buttons, help, element, said);
    let map = null;
    let layer = null;
    let mark = null;

    const button = (text, act) => {
      const made = document.createElement("button");
      made.type = "button";
      made.className = "button button-secondary";
      made.textContent = text;
      made.addEventListener("click", act);
      buttons.append(made);
      return made;
    };
    const typed = () => {
      const found = input.value.trim().match(/^(-?\d{1,2}(?:[.,]\d+)?)\s*(?:;|,\s|\s|,)\s*(-?\d{1,3}(?:[.,]\d+)?)$/);
      return found ? [Number(found[1].replace(",", ".")), Number(found[2].replace(",", "."))] : null;
    };
    const inside = (at) => {
      const cross = (ring) =>
        ring.reduce((odd, [x1, y1], i) => {
          const [x2, y2] = ring[(i + 1) % ring.length];
          return y1 > at.lat !== y2 > at.lat && at.lng < ((x2 - x1) * (at.lat - y1)) / (y2 - y1) + x1 ? !odd : odd;
        }, false);
      return layer.getLayers().find(({ feature: { geometry } }) => {
        const rings = geometry.type === "Polygon" ? geometry.coordinates : geometry.coordinates.flat();
        return rings.filter(cross).length % 2 === 1;
      })?.feature.properties.name;
    };
    const show = (at) => {
      mark?.remove();
      mark = L.circleMarker(at, CHOSEN).addTo(map);
    };
    const put = (at) => {
      input.value = `${at.lat.toFixed(6)}, ${at.lng.toFixed(6)}`;
      input.dispatchEvent(new Event("input", { bubbles: true }));
      show(at);
      const district = inside(at);
      said.textContent = district || !layer.getLayers().length ? fill(data.done, { district: district || "" }) : data.doneOutside;
      remove.hidden = false;
    };
    const open = async () => {
      start.disabled = true;
      try {
        ({ map, layer } = await draw(element, data));
      } catch {
        start.disabled = false;
        said.textContent = data.failed;
        return;
      }
      start.remove();
      help.hidden = false;
      element.setAttribute("role", "application");
      element.setAttribute("aria-label", `${data.mapName}. ${data.help}`);
      map.on("click", (event) => put(event.latlng));
      onEnter(element, () => put(map.getCenter()));
      for (const made of [middle, here]) made.hidden = false;
      const at = typed();
      if (at) {
        show(L.latLng(at));
        map.setView(at, 14, { animate: false });
      }
      element.focus();
    };
    const start = button(data.choose, open);
    const middle = button(data.put, () => put(map.getCenter()));
    const here = button(data.here, () => {
      navigator.geolocation?.getCurrentPosition(
        ({ coords }) => {
          const at = L.latLng(coords.latitude, coords.longitude);
          map.setView(at, 16, { animate: false });
          put(at);
        },
        () => (said.textContent = data.notHere),
        { maximumAge: 60000, timeout: 10000 },
      );
    });
    const remove = button(data.remove, () => {
      input.value = "";
      input.dispatchEvent(new Event("input", { bubbles: true }));
      mark?.remove();
      mark = null;
      said.textContent = data.gone;
      (map ? middle : start).focus();
      remove.hidden = true;
    });
    middle.hidden = here.hidden = true;
    remove.hidden = !input.value;
    input.addEventListener("change", () => {
      const at = typed();
      remove.hidden = !input.value;
      if (map && at) {
        show(L.latLng(at));
        map.setView(at, Math.max(map.getZoom(), 13), { animate: false });
      }
    });
  };

  for (const element of document.querySelectorAll("[data-map]")) {
    showPlaces(element).catch(() => {
      element.hidden = true;
      element.parentElement.querySelector(".map-said").textContent = element.dataset.failed;
    });
  }
  for (const field of document.querySelectorAll("[data-place]")) choosePlace(field);
})();

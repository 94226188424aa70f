import Activity from "@lucide/svelte/icons/activity";
import Blocks from "@lucide/svelte/icons/blocks";
import Building2 from "@lucide/svelte/icons/building-2";
import Cable from "@lucide/svelte/icons/cable";
import ChartColumn from "@lucide/svelte/icons/chart-column";
import Coins from "@lucide/svelte/icons/coins";
import Fingerprint from "@lucide/svelte/icons/fingerprint";
import Gauge from "@lucide/svelte/icons/gauge";
import HeartPulse from "@lucide/svelte/icons/heart-pulse";
import House from "@lucide/svelte/icons/house";
import KeyRound from "@lucide/svelte/icons/key-round";
import Layers from "@lucide/svelte/icons/layers";
import ListTree from "@lucide/svelte/icons/list-tree";
import MessagesSquare from "@lucide/svelte/icons/messages-square";
import Route from "@lucide/svelte/icons/route";
import Settings from "@lucide/svelte/icons/settings";
import ShieldCheck from "@lucide/svelte/icons/shield-check";
import SquareTerminal from "@lucide/svelte/icons/square-terminal";
import Users from "@lucide/svelte/icons/users";
import type { Component } from "svelte";
import type { Scope } from "#lib/api/scope.ts";

/** A page that stands in the navigation, in the palette, and behind `g` and a letter. */
export interface Place {
  readonly label: string;
  readonly icon: Component<{ size?: number; "aria-hidden"?: "true" }>;
  readonly href: string;
  /** Pressed after `g`. */
  readonly letter?: string;
  /** Right without which the page has nothing to show. */
  readonly needs?: readonly [action: string, resource: string];
}

/** Places under one heading. */
export interface PlaceGroup {
  readonly label: string;
  readonly places: readonly Place[];
}

/** Every page of the navigation. A page more is a line more. */
export function placesOf(scope: Scope | undefined): readonly PlaceGroup[] {
  return [
    ...(scope ? environmentPlaces(scope) : []),
    {
      label: "Installation",
      places: [
        { label: "Workspaces", icon: Building2, href: "/workspaces", letter: "w" },
        { label: "Users", icon: Users, href: "/users", needs: ["user:list", "user"] },
        { label: "Roles", icon: ShieldCheck, href: "/roles", needs: ["role:list", "role"] },
        {
          label: "Identity",
          icon: Fingerprint,
          href: "/identity",
          needs: ["system:get", "system"],
        },
        {
          label: "Pricing",
          icon: Coins,
          href: "/prices",
          needs: ["price-list:list", "price-list"],
        },
        { label: "Plugins", icon: Blocks, href: "/plugins", needs: ["plugin:list", "plugin"] },
        {
          label: "Activity",
          icon: Activity,
          href: "/activity",
          needs: ["activity:list", "activity"],
        },
        {
          label: "System",
          icon: HeartPulse,
          href: "/system",
          letter: "h",
          needs: ["system:get", "system"],
        },
      ],
    },
  ];
}

function environmentPlaces({ link, resource }: Scope): readonly PlaceGroup[] {
  return [
    {
      label: "Build",
      places: [
        { label: "Overview", icon: House, href: link(), letter: "o" },
        {
          label: "AI Resources",
          icon: Route,
          href: link("resources"),
          letter: "r",
          needs: ["ai-resource:list", resource("ai-resource")],
        },
        {
          label: "AI Connections",
          icon: Cable,
          href: link("connections"),
          letter: "c",
          needs: ["ai-connection:list", resource("ai-connection")],
        },
        {
          label: "API Keys",
          icon: KeyRound,
          href: link("keys"),
          letter: "k",
          needs: ["api-key:list", resource("api-key")],
        },
        {
          label: "Playground",
          icon: MessagesSquare,
          href: link("playground"),
          letter: "p",
          needs: ["completion:execute", resource("completion")],
        },
        { label: "SDK", icon: SquareTerminal, href: link("sdk"), letter: "d" },
      ],
    },
    {
      label: "Observe",
      places: [
        {
          label: "Audit",
          icon: ListTree,
          href: link("audit"),
          letter: "a",
          needs: ["audit:list", resource("audit")],
        },
        {
          label: "Usage",
          icon: ChartColumn,
          href: link("usage"),
          letter: "u",
          needs: ["usage:get", resource("usage")],
        },
      ],
    },
    {
      label: "Control",
      places: [
        {
          label: "Capacity",
          icon: Gauge,
          href: link("capacity"),
          letter: "l",
          needs: ["capacity:get", resource("capacity")],
        },
        {
          label: "Prioritization",
          icon: Layers,
          href: link("prioritization"),
          letter: "i",
          needs: ["pool-definition:get", resource("pool-definition")],
        },
        { label: "Settings", icon: Settings, href: link("settings"), letter: "s" },
      ],
    },
  ];
}

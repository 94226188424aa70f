import type { Routing, RoutingInput, RoutingRoute } from "@vmx/sdk";
import { draftOf, emptySlot, type SlotDraft, slotInput } from "#lib/slots/slot.ts";

/** One comparison while it is edited. */
export interface ConditionDraft {
  type: "condition";
  id: string;
  enabled: boolean;
  expression: string;
  comparator: string;
  value: { type: string; expression?: string };
}

/** Comparisons joined by AND or OR. */
export interface GroupDraft {
  type: "group";
  id: string;
  enabled: boolean;
  operator: "AND" | "OR";
  conditions: (ConditionDraft | GroupDraft)[];
}

/** One rule while it is edited. */
export interface RouteDraft {
  id: string;
  description: string;
  enabled: boolean;
  mode: "UI" | "ADVANCED";
  operator: "AND" | "OR";
  conditions: (ConditionDraft | GroupDraft)[];
  expression: string;
  action: "CALL_MODEL" | "BLOCK";
  then: SlotDraft;
  traffic: number | null;
}

/** The rules of a resource while they are edited. */
export interface RoutingDraft {
  enabled: boolean;
  routes: RouteDraft[];
}

/** Stored rules, ready to be edited. */
export function routingDraft(routing: Routing | null | undefined): RoutingDraft {
  return { enabled: routing?.enabled ?? true, routes: (routing?.conditions ?? []).map(routeDraft) };
}

function routeDraft(route: RoutingRoute): RouteDraft {
  return {
    id: route.id,
    description: route.description ?? "",
    enabled: route.enabled,
    mode: route.mode,
    operator: route.operator,
    conditions: (route.conditions ?? []) as RouteDraft["conditions"],
    expression: route.expression ?? "",
    action: route.action,
    then: route.then ? draftOf(route.then) : emptySlot(),
    traffic: route.then?.traffic ?? null,
  };
}

/** The rules as they are sent. */
export function routingInput({ enabled, routes }: RoutingDraft): RoutingInput | null {
  if (routes.length === 0) return null;
  return {
    enabled,
    conditions: routes.map((route) => ({
      type: "group",
      id: route.id,
      description: route.description || null,
      enabled: route.enabled,
      mode: route.mode,
      operator: route.operator,
      action: route.action,
      ...(route.mode === "UI"
        ? { conditions: route.conditions as unknown as Record<string, unknown>[] }
        : { expression: route.expression }),
      ...(route.action === "CALL_MODEL"
        ? { then: { ...slotInput(route.then), traffic: route.traffic } }
        : {}),
    })),
  };
}

/** A short id that stays with what it is given to. */
export function newId(): string {
  return crypto.randomUUID().slice(0, 8);
}

/** A comparison to begin with. */
export function newCondition(): ConditionDraft {
  return {
    type: "condition",
    id: newId(),
    enabled: true,
    expression: "tokens.input",
    comparator: "LESS_THAN",
    value: { type: "number", expression: "100" },
  };
}

/** A rule to begin with. */
export function newRoute(then: SlotDraft): RouteDraft {
  return {
    id: newId(),
    description: "",
    enabled: true,
    mode: "UI",
    operator: "AND",
    conditions: [newCondition()],
    expression: "",
    action: "CALL_MODEL",
    then: { ...emptySlot(then.connectionId), model: then.model },
    traffic: null,
  };
}

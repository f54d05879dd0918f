/**
 * Where the nodes of a journey stand: a column downwards, the ways of a step side by side below it, joined again under
 * the longest. A journey's ways never cross, so its picture is laid out exactly, in one pass, without edges over nodes;
 * a general graph layout would have to search for what is known here.
 *
 * Depends on the shape alone: what a step says moves nothing.
 */
import type { Place } from './edits';
import { EXITS, type Journey, type Step, TRIGGER, type Way } from './journey';

export const NODE_W = 272;
export const NODE_H = 66;
/** A node with a line of numbers. */
export const NODE_H_NUMBERS = 104;
const DOT = 12;
/** Room between steps, with the button that inserts. */
const GAP = 46;
/** Room between a step and its ways, with the words on each and the button. */
const GAP_WAYS = 84;
const GAP_LANES = 28;
/** A way without steps. */
const EMPTY_LANE_W = 150;
export const END = ':end';

export type NodeShape = 'trigger' | 'exits' | 'step' | 'join' | 'end';
export type PlacedNode = {
  id: string;
  shape: NodeShape;
  x: number;
  y: number;
  w: number;
  h: number;
  step?: Step;
};
export type Point = { x: number; y: number };
export type PlacedEdge = {
  id: string;
  source: string;
  target: string;
  from: Point;
  to: Point;
  /** Down which line it goes. */
  lane: number;
  /** The way that begins with it. */
  way?: { step: Step; way: Way };
  /** The unwritten way of a message that was delivered. */
  reached?: boolean;
  /** What would be put here. */
  place?: Place;
};
export type Picture = { nodes: PlacedNode[]; edges: PlacedEdge[]; width: number; height: number };

/** What hangs below a place, measured before it is placed. */
type Lane = { way: Way | undefined; list: Block; w: number };
type StepBlock = { step: Step; lanes: Lane[]; w: number; h: number; isOpen: boolean };
type Block = { steps: StepBlock[]; w: number; h: number; isOpen: boolean };

export function picture(journey: Journey, withNumbers = false): Picture {
  const drawing = new Drawing(withNumbers ? NODE_H_NUMBERS : NODE_H);
  return drawing.draw(journey);
}

class Drawing {
  readonly nodes: PlacedNode[] = [];
  readonly edges: PlacedEdge[] = [];

  constructor(readonly nodeH: number) {}

  draw(journey: Journey): Picture {
    const all = this.measure(journey.steps);
    const centre = Math.max(all.w, NODE_W) / 2;
    this.nodes.push({
      id: TRIGGER,
      shape: 'trigger',
      x: centre - NODE_W / 2,
      y: 0,
      w: NODE_W,
      h: this.nodeH,
    });
    const exitsX = centre + NODE_W / 2 + GAP_LANES;
    this.nodes.push({ id: EXITS, shape: 'exits', x: exitsX, y: 0, w: NODE_W, h: this.nodeH });
    const start: Tip[] = [{ id: TRIGGER, at: { x: centre, y: this.nodeH }, lane: centre }];
    const last = this.place(all, ['steps'], centre, this.nodeH + GAP, start);
    let height = last.y;
    if (last.tips.length > 0) {
      const at = { x: centre, y: last.y };
      this.connect(last.tips, END, at, { list: ['steps'], at: journey.steps.length });
      this.nodes.push({ id: END, shape: 'end', x: centre - NODE_W / 4, y: at.y, w: NODE_W / 2, h: 34 });
      height = at.y + 34;
    }
    return { nodes: this.nodes, edges: this.edges, width: Math.max(all.w, exitsX + NODE_W), height };
  }

  private measure(steps: readonly Step[]): Block {
    const blocks = steps.map((step) => this.measureStep(step));
    return {
      steps: blocks,
      w: Math.max(0, ...blocks.map((one) => one.w)),
      h: blocks.reduce((sum, one) => sum + one.h, 0) + GAP * Math.max(0, blocks.length - 1),
      isOpen: blocks.at(-1)?.isOpen ?? true,
    };
  }

  private measureStep(step: Step): StepBlock {
    const ways: (Way | undefined)[] =
      step.kind === 'send' && step.ways.length > 0 ? [undefined, ...step.ways] : step.ways;
    const lanes = ways.map((way) => {
      const list = this.measure(way?.steps ?? []);
      return { way, list, w: Math.max(list.w, list.steps.length === 0 ? EMPTY_LANE_W : NODE_W) };
    });
    if (lanes.length === 0) {
      return { step, lanes, w: NODE_W, h: this.nodeH, isOpen: step.kind !== 'stop' };
    }
    const w = lanes.reduce((sum, one) => sum + one.w, 0) + GAP_LANES * (lanes.length - 1);
    const isOpen = lanes.some((one) => one.list.isOpen);
    const h = Math.max(...lanes.map((one) => one.list.h));
    return {
      step,
      lanes,
      w: Math.max(w, NODE_W),
      h: this.nodeH + GAP_WAYS + h + (isOpen ? GAP + DOT : 0),
      isOpen,
    };
  }

  /** Places the steps of a list below each other; the tips are what leads on from its end. */
  private place(
    block: Block,
    list: Place['list'],
    x: number,
    y: number,
    tips: Tip[],
  ): { tips: Tip[]; y: number } {
    let at = y;
    let open = tips;
    for (const [index, one] of block.steps.entries()) {
      this.connect(open, one.step.key, { x, y: at }, { list, at: index });
      open = this.placeStep(one, x, at);
      at += one.h + GAP;
    }
    return { tips: open, y: block.steps.length === 0 ? y : at };
  }

  private placeStep(block: StepBlock, x: number, y: number): Tip[] {
    const { step, lanes } = block;
    this.nodes.push({ id: step.key, shape: 'step', x: x - NODE_W / 2, y, w: NODE_W, h: this.nodeH, step });
    const bottom = { x, y: y + this.nodeH };
    if (lanes.length === 0) {
      return block.isOpen ? [{ id: step.key, at: bottom, lane: x }] : [];
    }
    const total = lanes.reduce((sum, one) => sum + one.w, 0) + GAP_LANES * (lanes.length - 1);
    const joinId = `${step.key}:join`;
    const joinY = y + block.h - DOT;
    let left = x - total / 2;
    for (const lane of lanes) {
      const centre = left + lane.w / 2;
      left += lane.w + GAP_LANES;
      const { way } = lane;
      const leads = way === undefined ? { reached: true } : { way: { step, way } };
      const start: Tip = { id: step.key, at: bottom, lane: centre, ...leads };
      const list = way?.list ?? [];
      const inner = this.place(lane.list, list, centre, bottom.y + GAP_WAYS, [start]);
      const end = way === undefined ? undefined : { list, at: way.steps.length };
      this.connect(inner.tips, joinId, { x, y: joinY }, end, centre);
    }
    if (!block.isOpen) {
      return [];
    }
    this.nodes.push({ id: joinId, shape: 'join', x: x - DOT / 2, y: joinY, w: DOT, h: DOT });
    return [{ id: joinId, at: { x, y: joinY + DOT }, lane: x }];
  }

  private connect(tips: Tip[], target: string, to: Point, place: Place | undefined, lane?: number): void {
    for (const tip of tips) {
      this.edges.push({
        id: `${tip.id}>${target}${tip.way === undefined ? '' : `:${tip.way.way.word}`}${tip.reached ? ':reached' : ''}`,
        source: tip.id,
        target,
        from: tip.at,
        to,
        lane: lane ?? tip.lane,
        ...(tip.way === undefined ? {} : { way: tip.way }),
        ...(tip.reached ? { reached: true } : {}),
        ...(place === undefined ? {} : { place }),
      });
    }
  }
}

/** An end that is not yet connected. */
type Tip = { id: string; at: Point; lane: number; way?: { step: Step; way: Way }; reached?: boolean };

/** The line of an edge: down, across to its lane, down, across, down, with round corners. */
export function edgePath(edge: Pick<PlacedEdge, 'from' | 'to' | 'lane'>): string {
  const { from, to, lane } = edge;
  const radius = 8;
  const corner = (x: number, y: number, toX: number) => {
    const by = Math.min(radius, Math.abs(toX - x) / 2);
    const side = Math.sign(toX - x);
    return by < 1
      ? `V${y} H${toX}`
      : `V${y - by} Q${x} ${y} ${x + side * by} ${y} H${toX - side * by} Q${toX} ${y} ${toX} ${y + by}`;
  };
  const first = lane === from.x ? '' : corner(from.x, from.y + 16, lane);
  const last = lane === to.x ? '' : corner(lane, to.y - 16, to.x);
  return `M${from.x} ${from.y} ${first} ${last} V${to.y}`;
}

/** Where the words of a way and the button stand on its edge. */
export function labelAt(edge: PlacedEdge): Point {
  return { x: edge.lane, y: edge.from.y + 34 };
}

export function buttonAt(edge: PlacedEdge): Point {
  const begins = edge.way !== undefined;
  if (begins) {
    return { x: edge.lane, y: edge.from.y + 62 };
  }
  const top = edge.lane === edge.from.x ? edge.from.y : edge.from.y + 16;
  const low = edge.lane === edge.to.x ? edge.to.y : edge.to.y - 16;
  // A way may end far above where the longest one ends: the button stays with its own last step.
  return { x: edge.lane, y: Math.min((top + low) / 2, edge.from.y + GAP / 2) };
}

export type Direction = 'up' | 'down' | 'left' | 'right';

/** The node that an arrow key goes to. */
export function neighbour(shown: Picture, id: string, direction: Direction): string | undefined {
  const isStop = (one: string) => shown.nodes.some((node) => node.id === one && node.shape !== 'join');
  const follow = (one: string, seen = new Set<string>()): string | undefined => {
    if (isStop(one) || seen.has(one)) {
      return one;
    }
    seen.add(one);
    const next = shown.edges.find((edge) => (direction === 'down' ? edge.source : edge.target) === one);
    return next === undefined ? undefined : follow(direction === 'down' ? next.target : next.source, seen);
  };
  if (direction === 'down' || direction === 'up') {
    const edge = shown.edges.find((one) => (direction === 'down' ? one.source : one.target) === id);
    return edge === undefined ? undefined : follow(direction === 'down' ? edge.target : edge.source);
  }
  const own = shown.nodes.find((node) => node.id === id);
  if (own === undefined) {
    return undefined;
  }
  const side = direction === 'right' ? 1 : -1;
  const centre = (node: PlacedNode) => ({ x: node.x + node.w / 2, y: node.y + node.h / 2 });
  const here = centre(own);
  const far = (node: PlacedNode) => {
    const there = centre(node);
    return Math.abs(there.x - here.x) + Math.abs(there.y - here.y) * 3;
  };
  return shown.nodes
    .filter((node) => node.shape !== 'join' && (centre(node).x - here.x) * side > own.w / 2)
    .sort((a, b) => far(a) - far(b))[0]?.id;
}

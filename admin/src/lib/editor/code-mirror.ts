import { autocompletion, closeBrackets, type CompletionSource } from "@codemirror/autocomplete";
import { json, jsonParseLinter } from "@codemirror/lang-json";
import {
  bracketMatching,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from "@codemirror/language";
import { linter } from "@codemirror/lint";
import { Compartment, EditorState } from "@codemirror/state";
import { lineNumbers, placeholder } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { EditorView, minimalSetup } from "codemirror";

/** How an editor is set up. */
export interface EditorOptions {
  readonly text: string;
  readonly label: string;
  readonly describedBy?: string | undefined;
  readonly json?: boolean;
  readonly placeholder?: string;
  /** What is offered while somebody types. */
  readonly complete?: CompletionSource;
  readonly change: (text: string) => void;
}

/** An editor in the page. */
export interface EditorHandle {
  setText(text: string): void;
  setDark(dark: boolean): void;
  destroy(): void;
}

/**
 * Puts CodeMirror into an element. It lives in a shadow root, where its styles are style sheets of the page's making,
 * which the content security policy allows; in the document they would be inline.
 */
export function createEditor(place: HTMLElement, options: EditorOptions): EditorHandle {
  const root = place.shadowRoot ?? place.attachShadow({ mode: "open" });
  const dark = new Compartment();
  const view = new EditorView({
    root,
    parent: root,
    state: EditorState.create({
      doc: options.text,
      extensions: [
        minimalSetup,
        lineNumbers(),
        indentOnInput(),
        bracketMatching(),
        closeBrackets(),
        EditorView.lineWrapping,
        look,
        syntaxHighlighting(colours),
        dark.of([]),
        ...(options.json ? [json(), linter(emptyIsFine(jsonParseLinter()))] : []),
        ...(options.complete ? [autocompletion({ override: [options.complete] })] : []),
        ...(options.placeholder ? [placeholder(options.placeholder)] : []),
        EditorView.contentAttributes.of({
          "aria-label": options.label,
          spellcheck: "false",
        }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) options.change(update.state.doc.toString());
        }),
      ],
    }),
  });
  return {
    setText(text) {
      if (text === view.state.doc.toString()) return;
      view.dispatch({ changes: { from: 0, to: view.state.doc.length, insert: text } });
    },
    setDark: (isDark) =>
      view.dispatch({ effects: dark.reconfigure(EditorView.theme({}, { dark: isDark })) }),
    destroy: () => view.destroy(),
  };
}

function emptyIsFine(
  check: ReturnType<typeof jsonParseLinter>,
): ReturnType<typeof jsonParseLinter> {
  return (view) => view.state.doc.toString().trim() === "" ? [] : check(view);
}

/** Custom properties of the page reach into the shadow root: one look for both themes. */
const look = EditorView.theme({
  "&": { color: "var(--text)", backgroundColor: "transparent", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-content": { fontFamily: "var(--mono)", caretColor: "var(--text)", minHeight: "6rem" },
  ".cm-cursor": { borderLeftColor: "var(--text)" },
  ".cm-gutters": {
    backgroundColor: "var(--sunken)",
    color: "var(--text-faint)",
    borderRight: "1px solid var(--line)",
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "transparent" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground":
    { backgroundColor: "var(--accent-soft)" },
  ".cm-matchingBracket": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-tooltip": {
    border: "1px solid var(--line-strong)",
    borderRadius: "8px",
    backgroundColor: "var(--raised)",
    color: "var(--text)",
    fontFamily: "var(--font)",
    overflow: "hidden",
  },
  ".cm-tooltip-autocomplete > ul > li[aria-selected]": {
    backgroundColor: "var(--accent-soft)",
    color: "var(--text)",
  },
  ".cm-completionDetail": { color: "var(--text-faint)", fontStyle: "normal" },
  ".cm-placeholder": { color: "var(--text-faint)" },
});

const colours = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warn)" },
  { tag: [tags.punctuation, tags.separator, tags.brace], color: "var(--text-soft)" },
]);

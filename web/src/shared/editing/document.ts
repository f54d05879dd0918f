/** YAML documents whose values stay as they are written: `007` does not become 7, nor a long number a rounded one. */
import {
  type CollectionTag,
  type Document,
  parseDocument,
  type ScalarTag,
  type Tags,
  type ToStringOptions,
} from 'yaml';

const NUMBERS: ReadonlySet<string> = new Set(['tag:yaml.org,2002:int', 'tag:yaml.org,2002:float']);

function asWritten(tags: Tags): Tags {
  return tags.map((tag) =>
    typeof tag === 'object' && isNumbers(tag)
      ? {
          ...tag,
          stringify: (node, context, onComment, onChompKeep) =>
            typeof node.source === 'string' && Number(node.source) === node.value
              ? node.source
              : (tag.stringify?.(node, context, onComment, onChompKeep) ?? String(node.value)),
        }
      : tag,
  ) as Tags;
}

function isNumbers(tag: ScalarTag | CollectionTag): tag is ScalarTag {
  return NUMBERS.has(tag.tag) && tag.collection === undefined;
}

export function readDocument(text: string): Document {
  return parseDocument(text, { customTags: asWritten });
}

/** The text of a document, in the layout that `like` has as far as it can be told. */
export function writeDocument(document: Document, like: string): string {
  const options: ToStringOptions = {
    lineWidth: 0,
    indentSeq: !/^\w+:[ \t]*(#.*)?\n- /m.test(like),
    flowCollectionPadding: !/\{\w/.test(like),
  };
  return document.toString(options);
}

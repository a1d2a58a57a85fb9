using System.Collections.Immutable;
using YamlDotNet.Core;
using YamlDotNet.Core.Events;

namespace Postern.Configuration.Reading;

/// <summary>
/// Reads one YAML document (JSON is a part of YAML) into nodes that know their place. What would be read in silence as something
/// else than it looks like is refused: anchors and aliases, tags, keys given twice, a second document.
/// </summary>
internal sealed class ConfigDocument
{
    private const int MaxDepth = 32;

    private readonly string file;
    private readonly Parser parser;
    private readonly List<ConfigurationError> errors;

    private ConfigDocument(string file, string text, List<ConfigurationError> errors)
    {
        this.file = file;
        this.errors = errors;
        parser = new Parser(new StringReader(text));
    }

    /// <summary>The document's root; an empty mapping for an empty document, null when it is no document at all.</summary>
    public static ConfigNode? Read(string file, string text, List<ConfigurationError> errors)
    {
        var document = new ConfigDocument(file, text, errors);
        try
        {
            return document.ReadRoot();
        }
        catch (YamlException broken)
        {
            errors.Add(
                new(file, (int)broken.Start.Line, (int)broken.Start.Column, string.Empty, $"not YAML: {FirstSentence(broken.Message)}"));
            return null;
        }
    }

    private ConfigNode ReadRoot()
    {
        Take<StreamStart>();
        ConfigNode root = new ConfigNode.Mapping(1, 1, []);
        if (Peek() is not StreamEnd)
        {
            Take<DocumentStart>();
            root = ReadNode(depth: 0);
            Take<DocumentEnd>();
            if (Peek() is DocumentStart second)
                Report(second.Start, "a second document begins here; a configuration is one document");
        }

        return root;
    }

    private ConfigNode ReadNode(int depth)
    {
        var start = Peek().Start;
        if (depth > MaxDepth)
            throw new YamlException(start, start, $"nested more than {MaxDepth} levels deep");
        if (Peek() is NodeEvent { Anchor.IsEmpty: false } anchored)
            Report(anchored.Start, "anchors (&name) are not understood here");
        if (Peek() is NodeEvent { Tag.IsEmpty: false } tagged)
            Report(tagged.Start, "tags (!name) are not understood here");

        switch (Peek())
        {
            case Scalar scalar:
                Move();
                return new ConfigNode.Scalar(Line(start), Column(start), scalar.Value, scalar.Style == ScalarStyle.Plain);
            case SequenceStart:
                return ReadSequence(start, depth);
            case MappingStart:
                return ReadMapping(start, depth);
            case AnchorAlias:
                Move();
                Report(start, "aliases (*name) are not understood here");
                return new ConfigNode.Scalar(Line(start), Column(start), string.Empty, IsPlain: true);
            default:
                throw new YamlException(start, start, "a value was expected");
        }
    }

    private ConfigNode.Sequence ReadSequence(Mark start, int depth)
    {
        Move();
        var items = ImmutableArray.CreateBuilder<ConfigNode>();
        while (Peek() is not SequenceEnd)
            items.Add(ReadNode(depth + 1));
        Move();
        return new(Line(start), Column(start), items.ToImmutable());
    }

    private ConfigNode.Mapping ReadMapping(Mark start, int depth)
    {
        Move();
        var entries = ImmutableArray.CreateBuilder<ConfigNode.Entry>();
        while (Peek() is not MappingEnd)
        {
            var place = Peek().Start;
            if (Peek() is not Scalar { Value: var key })
                throw new YamlException(place, place, "a key was expected");
            Move();
            var value = ReadNode(depth + 1);
            if (entries.FirstOrDefault(e => string.Equals(e.Key, key, StringComparison.Ordinal)) is { } earlier)
                Report(place, $"the key '{key}' was given before, in line {earlier.Line}");
            else
                entries.Add(new(Line(place), Column(place), key, value));
        }

        Move();
        return new(Line(start), Column(start), entries.ToImmutable());
    }

    private ParsingEvent Peek()
    {
        if (parser.Current is null)
            Move();
        return parser.Current ?? throw new YamlException(new Mark(0, 1, 1), new Mark(0, 1, 1), "the document ends too early");
    }

    /// <summary>
    /// The library's scanner throws other things too, such as InvalidOperationException at a key in braces that a comment follows: its
    /// trouble is the text's.
    /// </summary>
    private void Move()
    {
        var place = parser.Current?.End ?? new Mark(0, 1, 1);
        try
        {
            if (!parser.MoveNext())
                throw new YamlException(place, place, "the document ends too early");
        }
        catch (Exception e)
            when (e is InvalidOperationException or ArgumentException or FormatException or OverflowException or IndexOutOfRangeException
                or NullReferenceException)
        {
            throw new YamlException(place, place, "what follows here cannot be read", e);
        }
    }

    private void Take<T>()
        where T : ParsingEvent
    {
        if (Peek() is not T)
            throw new YamlException(Peek().Start, Peek().End, "the document is not complete");
        Move();
    }

    private void Report(Mark place, string message) => errors.Add(new(file, Line(place), Column(place), string.Empty, message));

    private static int Line(Mark place) => (int)place.Line;

    private static int Column(Mark place) => (int)place.Column;

    private static string FirstSentence(string message)
    {
        var text = message.ReplaceLineEndings(" ");
        var end = text.IndexOf(". ", StringComparison.Ordinal);
        return (end < 0 ? text : text[..end]).TrimEnd('.', ' ');
    }
}

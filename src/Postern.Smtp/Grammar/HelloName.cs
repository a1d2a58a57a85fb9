using System.Buffers;

namespace Postern.Smtp.Grammar;

/// <summary>
/// What a client calls itself (RFC 5321 §4.1.1.1 asks for a domain or an address literal). Programs send what the machine is called, in
/// words and in code pages. It is only logged, shown to rules and written into Received, so any name is taken, and what is not printable
/// US-ASCII becomes a question mark.
/// </summary>
internal static class HelloName
{
    private static readonly SearchValues<char> WordCharacters = SearchValues.Create(
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-./:=?@[]^_`{|}~");

    /// <summary>The words that begin a clause of Received (RFC 5321 §4.4).</summary>
    private static readonly string[] Clauses = ["from", "by", "via", "with", "id", "for"];

    /// <summary>One character an octet.</summary>
    public static string Read(ReadOnlySpan<byte> octets) => string.Create(octets.Length, octets, static (name, source) =>
    {
        for (var i = 0; i < name.Length; i++)
            name[i] = source[i] is >= (byte)' ' and <= (byte)'~' ? (char)source[i] : '?';
    });

    /// <summary>
    /// As one word of a Received field. A name that is none stands in quotes, and nothing in it can be taken for a comment, for the end of
    /// the field or for another clause: readers search such fields for words, and not all of them mind the quotes.
    /// </summary>
    public static string Word(string name)
    {
        if (!name.AsSpan().ContainsAnyExcept(WordCharacters))
            return name;
        var spacesStay = !name.Split(' ').Any(static word => Clauses.Contains(word, StringComparer.OrdinalIgnoreCase));
        return string.Create(name.Length + 2, (name, spacesStay), static (text, state) =>
        {
            text[0] = text[^1] = '"';
            for (var i = 0; i < state.name.Length; i++)
                text[i + 1] = WordCharacters.Contains(state.name[i]) || (state.spacesStay && state.name[i] == ' ') ? state.name[i] : '?';
        });
    }
}

using System.Globalization;
using System.Net;

namespace Postern.Relay.Policy.Access;

/// <summary>
/// Networks in a file, one a line, an address alone for itself; <c>#</c> begins what is none. Behind a network may stand OK, so that a file
/// that Postfix reads (cidr_table(5)) reads here too; any other word is wrong.
/// </summary>
public static class NetworkFile
{
    private const int MostProblems = 10;

    /// <exception cref="InvalidDataException">Lines do not read; the message names the first of them.</exception>
    internal static NetworkTable<bool> Read(IEnumerable<string> lines) =>
        new(ReadNetworks(lines).Select(static network => (network, true)));

    /// <exception cref="InvalidDataException">Lines do not read; the message names the first of them.</exception>
    public static IReadOnlyList<IPNetwork> ReadNetworks(IEnumerable<string> lines)
    {
        var (networks, problems, number) = (new List<IPNetwork>(), new List<string>(), 0);
        foreach (var line in lines)
        {
            number++;
            var text = line.AsSpan();
            if (text.IndexOf('#') is >= 0 and var comment)
                text = text[..comment];
            text = text.Trim();
            if (text.IsEmpty)
                continue;
            var end = text.IndexOfAny(' ', '\t');
            var word = end < 0 ? text : text[..end];
            var rest = end < 0 ? default : text[end..].Trim();
            var network = default(IPNetwork);
            var problem = rest.IsEmpty || Is(rest, "OK") || Is(rest, "permit")
                ? NetworkText.TryParse(word.ToString(), out network, out var wrong) ? null : wrong
                : $"'{rest}' behind a network: here is what to trust, and nothing else";
            if (problem is null)
                networks.Add(network);
            else
                problems.Add(string.Create(CultureInfo.InvariantCulture, $"line {number}: {problem}"));
            if (problems.Count == MostProblems)
                break;
        }

        return problems.Count == 0 ? networks : throw new InvalidDataException(string.Join("; ", problems));
    }

    private static bool Is(ReadOnlySpan<char> rest, string word) => rest.Equals(word, StringComparison.OrdinalIgnoreCase);
}

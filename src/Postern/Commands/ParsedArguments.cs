using System.CommandLine.Parsing;
using System.Net;
using Postern.Configuration.Reading;

namespace Postern.Commands;

/// <summary>Values of the command line that are read as in the configuration file, with the same words when they are wrong.</summary>
internal static class ParsedArguments
{
    public static TimeSpan? Duration(ArgumentResult result) =>
        Read<TimeSpan?>(result, Kinds.Duration.Expected, static text => Kinds.Duration.Read(text, out var value) ? value : null);

    /// <summary>A value of some kind; null where it is wrong, which is told.</summary>
    public static T? Of<T>(ArgumentResult result, Kind<T> kind)
        where T : struct =>
        Read<T?>(result, kind.Expected, text => kind.Read(text, out var value) ? value : null);

    public static int Count(ArgumentResult result) =>
        Read<int?>(result, Kinds.Count.Expected, static text => Kinds.Count.Read(text, out var value) ? value : null) ?? 0;

    public static IPNetwork? Network(ArgumentResult result) =>
        Read<IPNetwork?>(result, Kinds.Network.Expected, static text => Kinds.Network.Read(text, out var value) ? value : null);

    /// <summary>One address, as the network of itself.</summary>
    public static IPNetwork? Address(ArgumentResult result) =>
        Read<IPNetwork?>(
            result,
            "an address such as 192.0.2.7 or 2001:db8::7",
            static text => !text.Contains('/', StringComparison.Ordinal) && Kinds.Network.Read(text, out var value) ? value : null);

    private static T? Read<T>(ArgumentResult result, string expected, Func<string, T?> read)
    {
        var text = result.Tokens[^1].Value;
        var value = read(text);
        if (value is null)
            result.AddError($"'{text}' is not right here; expected {expected}");
        return value;
    }
}

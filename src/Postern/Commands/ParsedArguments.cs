using System.CommandLine.Parsing;
using Postern.Configuration.Reading;

namespace Postern.Commands;

/// <summary>Values of the command line that are read as in the configuration file, with the same words when they are wrong.</summary>
internal static class ParsedArguments
{
    public static TimeSpan? Duration(ArgumentResult result) => Read<TimeSpan?>(result, Kinds.Duration.Expected, static text => Kinds.Duration.Read(text, out var value) ? value : null);

    private static T? Read<T>(ArgumentResult result, string expected, Func<string, T?> read)
    {
        var text = result.Tokens[^1].Value;
        var value = read(text);
        if (value is null)
            result.AddError($"'{text}' is not right here; expected {expected}");
        return value;
    }
}

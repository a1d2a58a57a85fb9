using System.Globalization;

namespace Postern.Fuzz;

/// <summary>What the command line asks for.</summary>
internal sealed record FuzzOptions
{
    public const string Usage = """
        usage: postern-fuzz [--seconds N | --hours N | --inputs N] [--target NAME] [--seed N] [--findings DIRECTORY]
               postern-fuzz --target NAME --replay FILE
        Time and inputs are for all targets together; NAME may be 'all'. The seed in the first line repeats a run.
        """;

    public TimeSpan Time { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Instead of a time.</summary>
    public long? Inputs { get; init; }

    public ITarget? Target { get; init; }

    public ulong Seed { get; init; } = (ulong)Random.Shared.NextInt64();

    public string? Replay { get; init; }

    public string Findings { get; init; } = "fuzz-findings";

    /// <summary>Null when the arguments make no sense.</summary>
    public static FuzzOptions? Parse(string[] arguments)
    {
        var options = new FuzzOptions();
        for (var i = 0; i < arguments.Length; i += 2)
        {
            if (i + 1 == arguments.Length || Take(options, arguments[i], arguments[i + 1]) is not { } next)
                return null;
            options = next;
        }

        return options.Replay is not null && options.Target is null ? null : options;
    }

    private static FuzzOptions? Take(FuzzOptions options, string name, string value)
    {
        var isNumber = double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number) && number >= 0;
        return name switch
        {
            "--seconds" when isNumber => options with { Time = TimeSpan.FromSeconds(number) },
            "--hours" when isNumber => options with { Time = TimeSpan.FromHours(number) },
            "--inputs" when isNumber => options with { Inputs = (long)number },
            "--seed" when ulong.TryParse(value, NumberStyles.None, CultureInfo.InvariantCulture, out var seed) => options with { Seed = seed },
            "--target" when value == "all" => options with { Target = null },
            "--target" when TargetTable.All.FirstOrDefault(t => t.Name == value) is { } target => options with { Target = target },
            "--replay" => options with { Replay = value },
            "--findings" => options with { Findings = value },
            _ => null,
        };
    }
}

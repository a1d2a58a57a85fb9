namespace Postern.Web.Parts;

/// <summary>What one part of a page shows: each fails alone. "Cannot be known" is never "is not there".</summary>
public abstract record Part<T>
{
    private Part()
    {
    }

    public sealed record Known(T Value) : Part<T>;

    public sealed record Failed(Trouble Trouble) : Part<T>;

    /// <summary>The value, or the default where it is not known.</summary>
    public T? OrDefault => this is Known(var value) ? value : default;

    public static implicit operator Part<T>(T value) => new Known(value);

    public static implicit operator Part<T>(Trouble trouble) => new Failed(trouble);
}

/// <summary>Why something cannot be shown, for somebody who is tired.</summary>
/// <param name="What">What failed.</param>
/// <param name="Todo">What to do about it.</param>
public sealed record Trouble(string What, string Todo)
{
    /// <summary>How things stand, in a word.</summary>
    public string Word { get; init; } = "cannot be shown";

    /// <summary>Since when; null where that is not known.</summary>
    public DateTimeOffset? Since { get; init; }

    /// <summary>What still works, and whom it concerns.</summary>
    public string? Meanwhile { get; init; }

    /// <summary>The id of the request, which is found in <c>log server</c>.</summary>
    public string? Id { get; init; }
}

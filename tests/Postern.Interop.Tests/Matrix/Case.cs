namespace Postern.Interop.Tests.Matrix;

/// <summary>What is tried with each mechanism.</summary>
public enum Case
{
    /// <summary>The right secret.</summary>
    Right,

    /// <summary>A wrong one, of a user that exists.</summary>
    Wrong,

    /// <summary>A user that does not exist.</summary>
    Unknown,

    /// <summary><c>*</c> at each step, then a login in the same session.</summary>
    Cancelled,

    /// <summary>No base64, and no message of the mechanism, at each step; then a login in the same session.</summary>
    Malformed,

    /// <summary>A wrong secret, and in the same session the right one.</summary>
    SecondTry,
}

namespace Postern.Relay.Policy;

/// <summary>
/// What is written behind the word of a rule, as the rule asks for it. A key is known by being asked for: the same calls read a list of rules, find keys that are
/// unknown, and write the reference of the configuration.
/// </summary>
public abstract class RuleArguments
{
    /// <summary>A value that may be left out.</summary>
    /// <param name="fallbackText">The default as the reference prints it.</param>
    public abstract T Value<T>(string key, ArgumentKind<T> kind, T fallback, string fallbackText, string doc);

    /// <summary>A value that must be there; where it is not, whatever is returned is not used.</summary>
    public abstract T Required<T>(string key, ArgumentKind<T> kind, string doc);
}

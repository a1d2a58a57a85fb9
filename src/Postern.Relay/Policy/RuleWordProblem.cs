namespace Postern.Relay.Policy;

/// <summary>A word in a list of rules that means nothing there.</summary>
/// <param name="Nearest">The known word that was probably meant; null when none is near.</param>
/// <param name="Message">The whole sentence, without a place in a file.</param>
public sealed record RuleWordProblem(string Word, RuleStage Stage, string? Nearest, string Message);

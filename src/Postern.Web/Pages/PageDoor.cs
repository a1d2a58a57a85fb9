using Microsoft.AspNetCore.Http;
using Postern.Web.Access;
using Postern.Web.Parts;

namespace Postern.Web.Pages;

/// <summary>What a door knows of browsers.</summary>
/// <param name="FindCallerAsync">Who looks.</param>
/// <param name="WhyNot">Why a form is not one of ours, in a sentence; null where it is. Asked before anything is changed.</param>
/// <param name="TokenOf">What forms of this caller must bring.</param>
internal sealed record PageDoor(
    Func<HttpContext, ValueTask<Caller>> FindCallerAsync,
    Func<HttpContext, Caller, IFormCollection, string?> WhyNot,
    Func<HttpContext, Caller, FormToken?> TokenOf);

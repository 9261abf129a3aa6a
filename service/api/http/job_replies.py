"""The reply 202: accepted, with the job to poll."""

from fastapi.responses import JSONResponse, Response

from service.api.http.error_replies import Responses
from service.api.schemas.jobs import JobAccepted
from service.stores.jobs import Job

ACCEPTED: Responses = {
    202: {
        "model": JobAccepted,
        "description": "Accepted; poll the job at `Location`.",
        "headers": {
            "location": {"description": "Path of the job.", "schema": {"type": "string"}},
        },
    }
}


def accepted(job: Job) -> Response:
    """Return 202 with the job."""
    body = JobAccepted.of(job).model_dump(mode="json")
    return JSONResponse(body, status_code=202, headers={"location": f"/jobs/{job.job_id}"})
